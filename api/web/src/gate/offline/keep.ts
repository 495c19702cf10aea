// What a gate's device keeps: the gates of its account, each gate's newest bundle with the key that it is trusted by, what a
// gate must remember, the passages that no server has taken yet, sealed, and marks of what was shown lately.
import { fromBase64, toBase64, type Bytes } from '../../code/bytes';
import { all, clear, get, write, type Change } from '../../lib/db';
import type { Gate } from '../../lib/types';
import { freshState, type GateState, type Item } from './gate';
import type { Sealed } from './queue';
import { shownLife, type Mark } from './shown';

export interface KeptBundle { data: Bytes; pin: Bytes }

// Waiting is a passage made here. refused: the server will never take it. An Item lies here only where a page of before passages
// were sealed has left it.
export interface Waiting { gate: string; item: Sealed | Item; refused?: string }

const bundleKey = (gate: string) => `bundle/${gate}`;
const stateKey = (gate: string) => `state/${gate}`;

export const keptGates = async (): Promise<Gate[]> => (await get<Gate[]>('gate', 'gates')) ?? [];
export const keepGates = (gates: Gate[]): Promise<void> => write({ store: 'gate', key: 'gates', value: gates });
export const keptBundle = (gate: string): Promise<KeptBundle | undefined> => get<KeptBundle>('gate', bundleKey(gate));
export const keptState = async (gate: string): Promise<GateState> => (await get<GateState>('gate', stateKey(gate))) ?? freshState;

// keepBundle keeps a bundle that was opened together with what its gate remembers.
export const keepBundle = (gate: string, b: KeptBundle, state: GateState): Promise<void> =>
  write({ store: 'gate', key: bundleKey(gate), value: b }, { store: 'gate', key: stateKey(gate), value: state });

// keepPassage has a passage on the disk, and the gate's clock, before anybody passes.
export const keepPassage = (item: Sealed, mark: Mark | undefined, state: GateState): Promise<void> =>
  write(
    { store: 'queue', key: item.event, value: { gate: item.gate, item } satisfies Waiting }, { store: 'gate', key: stateKey(item.gate), value: state },
    ...(mark ? [{ store: 'marks', key: mark.event, value: mark } as const] : []),
  );

// reseal puts sealed passages in the place of plain ones.
export const reseal = (list: Waiting[]): Promise<void> => write(...list.map((w): Change => ({ store: 'queue', key: w.item.event, value: w })));

// recent gives the marks that still count at a moment and deletes the others.
export async function recent(at: number): Promise<Mark[]> {
  const marks = await all<Mark>('marks');
  const over = marks.filter((m) => Math.abs(at - m.at) > shownLife);
  if (over.length > 0) await write(...over.map((m): Change => ({ store: 'marks', key: m.event, value: undefined })));
  return marks.filter((m) => !over.includes(m));
}

export const waiting = (): Promise<Waiting[]> => all<Waiting>('queue');

// settle takes a server's answer to an upload: what it keeps is forgotten here, what it refuses for good is set aside. A passage
// from the future waits until it is past.
export async function settle(sent: Waiting[], results: { event: string; kept: boolean; code?: string }[]): Promise<void> {
  const changes = results.flatMap((r): Change[] => {
    const w = sent.find((s) => s.item.event === r.event);
    if (!w || (!r.kept && r.code === 'offline_future')) return [];
    return [{ store: 'queue', key: r.event, value: r.kept ? undefined : { ...w, refused: r.code ?? 'refused' } }];
  });
  if (changes.length > 0) await write(...changes);
}

// The key of the marks lives as long as the session: it outlives a reload, not the closing of the page or a log-out. Without it the
// marks say nothing.
const keyName = 'kangma.marks';
let unkept: string | undefined; // where the browser keeps nothing

// sessionKey gives the key, or draws one and forgets the marks of the session before.
export async function sessionKey(): Promise<Bytes> {
  let kept = unkept;
  try { kept = sessionStorage.getItem(keyName) ?? kept; } catch { /* forbidden */ }
  if (kept) return fromBase64(kept);
  await clear('marks');
  const key = crypto.getRandomValues(new Uint8Array(32));
  try { sessionStorage.setItem(keyName, toBase64(key)); } catch { unkept = toBase64(key); }
  return key;
}

async function forgetSession(): Promise<void> {
  unkept = undefined;
  try { sessionStorage.removeItem(keyName); } catch { /* forbidden */ }
  await clear('marks');
}

// leaveGate forgets the gates at a log-out. The passages that wait stay: whoever logs in next at the gate sends them.
export async function leaveGate(): Promise<void> {
  const states = await Promise.all((await keptGates()).map(async (g): Promise<Change> => ({ store: 'gate', key: stateKey(g.id), value: await keptState(g.id) })));
  await clear('gate');
  await forgetSession();
  if (states.length > 0) await write(...states);
}
