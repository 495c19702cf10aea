// Signed documents: COSE_Sign1 (tag 18, ES256) with the content type in the protected header, by a key that the gate pins.
import { type Bytes } from '../../code/bytes';
import { head } from '../../code/cursor';
import { toSign } from '../../code/envelope';
import { canonical, importKey, keyId, verifySig } from '../../code/keyring';
import { concat } from '../../code/bytes';
import { Refused } from '../../lib/refused';
import { decode, type Value } from './cbor';

export { Refused };

const most = 16 * 2 ** 20; // bytes

// Fields reads the integer-keyed map of a document: every key must be known, and what must be there must be there.
export class Fields {
  constructor(private readonly m: Map<number, Value>, known: number[]) {
    for (const k of m.keys()) if (!known.includes(k)) throw new Refused('document_malformed');
  }

  int(key: number): number {
    const v = this.m.get(key);
    if (typeof v !== 'number') throw new Refused('document_malformed');
    return v;
  }

  bytes(key: number): Bytes {
    const v = this.m.get(key);
    if (!(v instanceof Uint8Array)) throw new Refused('document_malformed');
    return v;
  }

  has(key: number): boolean { return this.m.has(key); }

  list(key: number): Value[] {
    const v = this.m.get(key);
    if (!Array.isArray(v)) throw new Refused('document_malformed');
    return v;
  }
}

export function fieldsOf(payload: Bytes, known: number[]): Fields {
  const v = read(payload);
  if (!(v instanceof Map)) throw new Refused('document_malformed');
  return new Fields(v, known);
}

function read(b: Bytes): Value {
  try {
    return decode(b);
  } catch {
    throw new Refused('document_malformed');
  }
}

// openDocument checks the signature by one of the pinned keys (SubjectPublicKeyInfo), then the content type, and gives the
// payload.
export async function openDocument(data: Bytes, type: string, pins: Bytes[]): Promise<Bytes> {
  if (data.length > most || data[0] !== 0xd2) throw new Refused('document_malformed');
  const parts = read(data.subarray(1));
  if (!Array.isArray(parts) || parts.length !== 4) throw new Refused('document_malformed');
  const [sealed, open, payload, sig] = parts;
  if (!(sealed instanceof Uint8Array) || !(open instanceof Map) || open.size > 0 || !(payload instanceof Uint8Array)
    || !(sig instanceof Uint8Array) || sig.length !== 64 || sealed.length > 256) throw new Refused('document_malformed');
  const message = toSign(concat(Uint8Array.from(head(2, sealed.length)), sealed), payload);
  let signer: Bytes | undefined;
  for (const pin of pins) if (!signer && canonical(sig) && await verifySig(await importKey(pin), sig, message)) signer = pin;
  const h = read(sealed);
  if (!(h instanceof Map) || [...h.keys()].some((k) => ![1, 3, 4].includes(k))) throw new Refused('document_malformed');
  const kid = h.get(4);
  const named = kid instanceof Uint8Array ? [...kid].map((v) => v.toString(16).padStart(2, '0')).join('') : '';
  if (!signer) throw new Refused(pins.some((p) => keyId(p) === named) ? 'document_forged' : 'document_key');
  if (h.get(1) !== -7 || named !== keyId(signer) || h.get(3) !== type) throw new Refused('document_malformed');
  return payload;
}
