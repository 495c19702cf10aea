// What a code says: the claims in its payload (docs/code-format.md section 1), read in their one canonical form.
import { ascii, hex, same, type Bytes } from './bytes';
import { validChallenge } from './challenge';
import { Cursor } from './cursor';
import { parseDivision } from './division';

export type Colour = 'red' | 'yellow' | 'green';
export type Kind = 'dynamic' | 'credential' | 'paper' | 'specimen';

export const slotSeconds = 30;
export const maxSlots = 2880; // of a credential: 24 h

// Claims of a code. Times are Unix seconds.
export interface Claims {
  region: number;
  issued: number;
  expires: number;
  kind: Kind;
  colour: Colour; // means nothing in a paper code
  latestNegative?: number;
  maskedName: string;
  idTail: string;
  id: string; // hexadecimal, 12 bytes
  nonce: Bytes;
  anchor?: Bytes;
  challenge?: number; // of a dynamic code that answers a gate's number; of a shown credential Keyring takes it from the proof
}

const kinds: Kind[] = ['dynamic', 'credential', 'paper', 'specimen'];
const longest: Record<Kind, number> = { dynamic: 20, credential: maxSlots, paper: 1_152_000, specimen: 1_152_000 };
const colours: Colour[] = ['red', 'yellow', 'green'];
const testUnit = 1200; // seconds

const headPayload = Uint8Array.of(0xa3, 0x01, 0x66); // map of 3; iss: text of 6
const headExp = Uint8Array.of(0x04, 0x1a);
const headOurs = Uint8Array.of(0x3a, 0x00, 0x01, 0x00, 0x00); // label -65537
const headSealed = Uint8Array.of(0x58, 0x20);
const zeroLink = new Uint8Array(12);

export const slots = (c: Claims): number => (c.expires - c.issued) / slotSeconds;

// decodeClaims gives undefined for anything but what the issuer writes.
export function decodeClaims(payload: Bytes): Claims | undefined {
  const r = new Cursor(payload);
  r.literal(headPayload);
  const region = r.take(6);
  r.literal(headExp);
  const exp = r.take(4);
  r.literal(headOurs);
  const fields = r.head(4);
  const state = r.head(0);
  const life = r.head(0);
  r.literal(headSealed);
  const sealed = r.take(32);
  const place = parseDivision(String.fromCharCode(...region));
  const answering = state >> 2 === 5; // a dynamic code with a gate's number as the last byte of its nonce
  const kind = answering ? 'dynamic' : kinds[(state >> 2) - 1];
  const paper = kind === 'paper';
  if (r.bad || place === undefined || !kind || ((state & 3) === 3) !== paper || life < 1 || life > longest[kind]) return undefined;
  if (answering && !validChallenge(sealed[15]!)) return undefined;
  const expires = exp.reduce((n, v) => n * 256 + v, 0);
  const c: Claims = {
    region: place, issued: expires - life * slotSeconds, expires, kind, colour: paper ? 'red' : colours[state & 3]!, maskedName: '', idTail: '',
    id: hex(sealed.subarray(0, 12)), nonce: sealed.subarray(12, 16), ...(answering && { challenge: sealed[15] }),
  };
  if (c.issued < 1 << 16) return undefined;
  const want = rest(r, c);
  return r.bad || r.left > 0 || fields !== want ? undefined : c;
}

// rest reads what follows the sealed subject and says how many fields there must have been.
function rest(r: Cursor, c: Claims): number {
  let fields = 4;
  if (r.next === 0xf6) {
    r.take(1);
  } else {
    const age = r.head(0);
    if (age > 255) r.bad = true;
    c.latestNegative = (Math.floor(c.issued / testUnit) - age) * testUnit;
  }
  if (c.kind === 'credential') {
    fields++;
    if (r.head(2) !== 12) r.bad = true;
    c.anchor = r.take(12);
    if (same(c.anchor, zeroLink)) r.bad = true;
  }
  if (r.left > 0) {
    fields++;
    const n = r.head(3);
    if (n < 4 || n > 15 || !identity(r.take(n), c)) r.bad = true;
  }
  return fields;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function identity(b: Bytes, c: Claims): boolean {
  if (b.length < 4) return false;
  const tail = b.subarray(b.length - 4);
  try {
    c.maskedName = utf8.decode(b.subarray(0, b.length - 4));
  } catch {
    return false;
  }
  c.idTail = String.fromCharCode(...tail);
  if (same(tail, ascii('----'))) c.idTail = '';
  return !/[\u0000-\u001f\u007f-\u009f]/.test(c.maskedName) && (c.idTail === '' || /^[0-9A-Z]{4}$/.test(c.idTail)) && (c.maskedName !== '' || c.idTail !== '');
}
