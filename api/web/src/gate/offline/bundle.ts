// The signed bundle of a gate: its policy, the keys it trusts and, where there is one, the status list.
import { type Bytes } from '../../code/bytes';
import { parseDivision } from '../../code/division';
import type { TrustedKey } from '../../code/keyring';
import type { Value } from './cbor';
import { fieldsOf, openDocument, Refused } from './document';
import { checkNumbered, type Numbered } from './numbered';
import { soundGate, type BundleGate } from './policy';
import { parseQueueKey, type QueueKey } from './queue';
import { openStatusList, type StatusList } from './statuslist';

export interface Bundle extends Numbered {
  gate: BundleGate;
  trust: Numbered & { keys: TrustedKey[] };
  status?: StatusList;
  queue: QueueKey; // what the gate keeps is sealed to it
}

// openBundle verifies a bundle by the pinned list keys at a moment in milliseconds. An expired one opens, so that its gate
// can say that it is stale; an expired status list is no list. Throws Refused.
export async function openBundle(data: Bytes, pins: Bytes[], at: number): Promise<Bundle> {
  const f = fieldsOf(await openDocument(data, 'application/vnd.kangma.gate-bundle+cbor', pins), [4, 6, -65538, -65544, -65545, -65546, -65547]);
  const [expires, issued, number] = [f.int(4), f.int(6), f.int(-65538)];
  const gate = gateOf(f.bytes(-65544));
  if (!soundGate(gate) || number <= 0 || issued >= expires) throw new Refused('bundle');
  const queue = parseQueueKey(f.bytes(-65547));
  const trust = await openTrustList(f.bytes(-65545), pins, at);
  let status: StatusList | undefined;
  if (f.has(-65546)) {
    try {
      status = await openStatusList(f.bytes(-65546), pins, at);
    } catch (err) {
      if (!(err instanceof Refused) || !/^status_list/.test(err.code)) throw err;
    }
  }
  return { number, issued, expires, gate, trust, status, queue };
}

function gateOf(json: Bytes): BundleGate {
  try {
    return JSON.parse(new TextDecoder().decode(json)) as BundleGate;
  } catch {
    throw new Refused('bundle');
  }
}

async function openTrustList(data: Bytes, pins: Bytes[], at: number): Promise<Bundle['trust']> {
  const f = fieldsOf(await openDocument(data, 'application/vnd.kangma.trust-list+cbor', pins), [4, 6, -65538, -65539]);
  const n = { number: f.int(-65538), issued: f.int(6), expires: f.int(4) };
  checkNumbered('trust_list', n, at);
  return { ...n, keys: f.list(-65539).map(keyOf) };
}

function keyOf(v: Value): TrustedKey {
  if (!Array.isArray(v) || v.length !== 5) throw new Refused('document_malformed');
  const [spki, place, from, until, state] = v;
  const region = typeof place === 'string' ? parseDivision(place) : undefined;
  if (!(spki instanceof Uint8Array) || region === undefined || typeof from !== 'number' || typeof until !== 'number'
    || typeof state !== 'number' || state < 0 || state > 3) throw new Refused('document_malformed');
  return { spki, region, from, until, state };
}
