// Reads the test vectors of docs/code-format.md a second time, sharing nothing with the Go code: the COSE message by
// cose-kit, the signature by cose-kit and again by WebCrypto, the claims by cbor-x, the hash chain by node:crypto.
// Prints one line for each disagreement and exits with 1.
import { createHash, webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { coseVerify } from 'cose-kit'
import { decodeMultiple, Encoder } from 'cbor-x'

const file = new URL('../vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file))
const b64u = (hex) => Buffer.from(hex, 'hex').toString('base64url')
const jwk = { kty: 'EC', crv: 'P-256', x: b64u(vectors.public_x), y: b64u(vectors.public_y) }
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
const key = await webcrypto.subtle.importKey('jwk', jwk, algorithm, true, ['verify'])
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const SLOT = 30, SKEW = 30
const kinds = ['', 'dynamic', 'credential', 'paper', 'specimen'], colours = ['red', 'yellow', 'green']
const maxSlots = [0, 20, 2880, 1152000, 1152000]

class Refused extends Error {}
const refuse = (verdict) => { throw new Refused(verdict) }

// RFC 9285
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'
function base45(text) {
  const out = []
  for (let i = 0; i < text.length; i += 3) {
    const v = [...text.slice(i, i + 3)].map((c) => alphabet.indexOf(c))
    const n = v[0] + (v[1] ?? 0) * 45 + (v[2] ?? 0) * 2025
    if (v.includes(-1) || v.length === 1 || n > (v.length === 3 ? 0xffff : 0xff)) refuse('malformed')
    if (v.length === 3) out.push(n >> 8)
    out.push(n & 0xff)
  }
  return Buffer.from(out)
}

// The shortest CBOR head, for comparing with what was read: one text per code.
function head(major, n) {
  if (n < 24) return [major << 5 | n]
  if (n < 256) return [major << 5 | 24, n]
  if (n < 65536) return [major << 5 | 25, n >> 8, n & 255]
  return [major << 5 | 26, n >>> 24, n >>> 16 & 255, n >>> 8 & 255, n & 255]
}

const canonical = (iss, exp, fields) => Buffer.from([
  0xa3, 1, ...head(3, iss.length), ...Buffer.from(iss), 4, 0x1a, ...head(0, exp).slice(1), 0x3a, 0, 1, 0, 0, ...head(4, fields.length),
  ...fields.flatMap((f) => f === null ? [0xf6] : typeof f === 'number' ? head(0, f) :
    typeof f === 'string' ? [...head(3, Buffer.byteLength(f)), ...Buffer.from(f)] : [...head(2, f.length), ...f]),
])

function claims(payload) {
  const map = new Encoder({ mapsAsObjects: false, useRecords: false }).decode(payload)
  const [iss, exp, fields] = [map.get(1), map.get(4), map.get(-65537)]
  if (map.size !== 3 || !/^[1-9]\d{5}$/.test(iss) || !canonical(iss, exp, fields).equals(payload)) refuse('malformed')
  const [state, life, sealed, negative, ...rest] = fields
  const answering = state >> 2 === 5 // a dynamic code with the number of a gate, in the last byte of its nonce
  const kind = answering ? 1 : state >> 2, anchor = kind === 2 ? rest.shift() : undefined, identity = rest.shift()
  if (kind < 1 || kind > 4 || life < 1 || life > maxSlots[kind] || sealed.length !== 32 || rest.length) refuse('malformed')
  if ((kind === 3) !== ((state & 3) === 3) || kind === 2 && anchor?.length !== 12 || negative > 255) refuse('malformed')
  if (answering && (sealed[15] < 10 || sealed[15] > 99)) refuse('malformed')
  const issued = exp - life * SLOT
  return {
    kind: kinds[kind], colour: kind === 3 ? 'red' : colours[state & 3], issued, exp, life, anchor, nonce: sealed.subarray(12, 16),
    id: Buffer.from(sealed.subarray(0, 12)).toString('hex'), region: iss,
    challenge: answering ? sealed[15] : undefined, latest: negative === null ? undefined : (Math.floor(issued / 1200) - negative) * 1200,
    name: identity?.slice(0, -4) ?? '', tail: identity?.slice(-4).replace('----', '') ?? '',
  }
}

function checkProof(c, proof, at) {
  const slot = proof.readUInt16BE(0), challenge = proof[14]
  if (slot >= c.life || challenge !== undefined && (slot < 3 || challenge < 10 || challenge > 99)) refuse('malformed')
  const begin = c.issued + (challenge === undefined ? slot : slot - 3) * SLOT
  c.challenge = challenge
  if (at < begin - SKEW) refuse('not_yet_valid')
  if (at >= begin + SLOT + SKEW) refuse('expired')
  let link = proof.subarray(2, 14)
  if (challenge !== undefined) {
    const veil = createHash('sha256').update('KM1 answer').update(c.nonce).update(Buffer.from([slot >> 8, slot & 255, challenge])).digest()
    link = link.map((b, i) => b ^ veil[i])
  }
  for (let i = slot; i >= 0; i--) {
    const number = Buffer.from([i >> 8, i & 255])
    link = createHash('sha256').update('KM1 holder').update(c.nonce).update(number).update(link).digest().subarray(0, 12)
  }
  if (!link.equals(Buffer.from(c.anchor))) refuse('forged')
}

async function verify(text, at) {
  if (!text.startsWith('KM1:')) refuse('not_ours')
  const raw = base45(text.slice(4))
  // d2 84 | 49 {1: -7, 4: kid} | a0 | 58 n payload | 58 40 signature | then perhaps 4e proof or 4f answer
  const n = raw[14], end = 15 + n + 66
  const shape = raw.subarray(0, 8).toString('hex') === 'd28449a201260444' && raw[12] === 0xa0 && raw[13] === 0x58 &&
    raw[15 + n] === 0x58 && raw[16 + n] === 0x40 && (raw.length === end || raw.length === end + 15 && raw[end] === 0x4e || raw.length === end + 16 && raw[end] === 0x4f)
  if (!shape) refuse('malformed')
  if (raw.subarray(8, 12).toString('hex') !== vectors.key_id) refuse('unknown_key')
  const message = raw.subarray(0, end), payload = raw.subarray(15, 15 + n), signature = raw.subarray(17 + n, end)
  const toSign = Buffer.concat([Buffer.from('846a5369676e617475726531', 'hex'), raw.subarray(2, 12), Buffer.from([0x40, 0x58, n]), payload])
  const valid = await webcrypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, toSign)
  const { isValid } = await coseVerify(message, key)
  if (valid !== isValid) throw new Error('cose-kit and WebCrypto disagree')
  const s = BigInt('0x' + signature.subarray(32).toString('hex'))
  if (!valid || s > N / 2n) refuse('forged')
  const c = claims(payload)
  if (!c.region.startsWith(vectors.key_region.slice(0, 4)) || c.issued < vectors.key_from || c.issued >= vectors.key_until) refuse('forged')
  if ((raw.length > end) !== (c.kind === 'credential')) refuse('malformed')
  if (c.kind === 'specimen') refuse('specimen')
  if (at < c.issued - SKEW) refuse('not_yet_valid')
  if (at >= c.exp + SKEW) refuse('expired')
  if (c.kind === 'credential') checkProof(c, raw.subarray(end + 1), at)
  return { c, sequence: decodeMultiple(raw).length }
}

let bad = 0
for (const v of vectors.codes) {
  const faults = []
  let verdict = ''
  try {
    const { c, sequence } = await verify(v.text, v.at)
    const w = v.claims
    const want = [w.kind, w.kind === 'paper' ? 'red' : w.colour, w.id, w.masked_name ?? '', w.id_tail ?? '', Date.parse(w.expires) / 1000,
      w.latest_negative ? Date.parse(w.latest_negative) / 1000 : undefined, w.challenge]
    const got = [c.kind, c.colour, c.id, c.name, c.tail, c.exp, c.latest, c.challenge]
    if (JSON.stringify(got) !== JSON.stringify(want)) faults.push(`claims ${JSON.stringify(got)}, want ${JSON.stringify(want)}`)
    if (sequence !== (c.kind === 'credential' ? 2 : 1)) faults.push(`a sequence of ${sequence} items`)
  } catch (e) {
    if (!(e instanceof Refused)) faults.push(String(e))
    verdict = e.message
  }
  if (verdict !== v.verdict) faults.push(`verdict "${verdict}", want "${v.verdict}"`)
  if (faults.length) bad++
  for (const f of faults) console.log(`${v.name}: ${f}`)
}
console.log(`${vectors.codes.length - bad} passed, ${bad} failed`)
process.exit(bad ? 1 : 0)
