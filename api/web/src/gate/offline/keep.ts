// What a gate's device keeps: the gates of its account, each gate's newest bundle with the key that it is trusted by, what a
// gate must remember, and the passages that no server has taken yet.
import type { Bytes } from '../../code/bytes';
import { all, clear, get, write, type Change } from '../../lib/db';
import type { Gate } from '../../lib/types';
import { freshState, type GateState, type Item } from './gate';

export interface KeptBundle { data: Bytes; pin: Bytes }

// Waiting is a passage made here. refused: the server will never take it.
export interface Waiting { gate: string; item: Item; refused?: string }

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
export const keepPassage = (gate: string, item: Item, state: GateState): Promise<void> =>
  write({ store: 'queue', key: item.event, value: { gate, item } satisfies Waiting }, { store: 'gate', key: stateKey(gate), value: state });

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

// leaveGate forgets the gates at a log-out. The passages that wait stay: whoever logs in next at the gate sends them.
export async function leaveGate(): Promise<void> {
  const states = await Promise.all((await keptGates()).map(async (g): Promise<Change> => ({ store: 'gate', key: stateKey(g.id), value: await keptState(g.id) })));
  await clear('gate');
  if (states.length > 0) await write(...states);
}
