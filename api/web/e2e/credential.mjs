// Credentials as the server makes them, with a signature of zeros: the phone stores and shows them without verifying.
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

function base45(b) {
  let out = '';
  for (let i = 0; i < b.length; i += 2) {
    const n = i + 1 < b.length ? b[i] * 256 + b[i + 1] : b[i];
    out += alphabet[n % 45] + alphabet[Math.floor(n / 45) % 45] + (i + 1 < b.length ? alphabet[Math.floor(n / 2025)] : '');
  }
  return out;
}

const head = (major, n) => (n < 24 ? [major << 5 | n] : n < 256 ? [major << 5 | 24, n] : [major << 5 | 25, n >> 8, n & 255]);

function credential({ nonce, anchor }, colour, issued, life) {
  const exp = issued + life * 30;
  const payload = Buffer.concat([
    Buffer.from([0xa3, 1, 0x66]), Buffer.from('441500'), Buffer.from([4, 0x1a, exp >>> 24, exp >>> 16 & 255, exp >>> 8 & 255, exp & 255, 0x3a, 0, 1, 0, 0, 0x85]),
    Buffer.from([8 | ['red', 'yellow', 'green'].indexOf(colour), ...head(0, life), 0x58, 0x20]), Buffer.from(nonce.repeat(3), 'hex'), Buffer.from(nonce, 'hex'), Buffer.alloc(16, 7),
    Buffer.from([0xf6, 0x4c]), Buffer.from(anchor, 'hex'),
  ]);
  return `KM1:${base45(Buffer.concat([Buffer.from([0xd2, 0x84, 0x49, 0xa2, 1, 0x26, 4, 0x44, 1, 2, 3, 4, 0xa0, 0x58, payload.length]), payload, Buffer.from([0x58, 0x40]), Buffer.alloc(64)]))}`;
}

// credentials answers a draw: of a colour, issued some seconds ago, for a number of slots of 30 s.
export const credentials = (colour = 'green', ago = 0, life = 2880) => (body) => {
  const issued = Math.floor(Date.now() / 1000) - ago;
  const at = (s) => new Date(s * 1000).toISOString();
  return [200, {
    told: true, colour, slot_seconds: 30, refresh_at: at(issued + life * 20),
    credentials: body.anchors.map((a) => ({ id: '0', credential: credential(a, colour, issued, life), issued_at: at(issued), expires_at: at(issued + life * 30), slots: life })),
  }];
};
