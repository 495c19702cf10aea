// Provinces, cities and counties of GB/T 2260 for pickers, read once when a picker is first opened.
import address from '../data/divisions.txt?url';

export interface Division { code: string; name: string }

// Table finds divisions by their six-digit code.
export class Table {
  private readonly names = new Map<string, string>();
  private readonly inside = new Map<string, Division[]>();

  // text has one "code name" a line, rising; codes are 2, 4 or 6 digits for province, city and county.
  constructor(text: string) {
    for (const line of text.split('\n')) {
      const space = line.indexOf(' ');
      if (space < 0) continue;
      const short = line.slice(0, space);
      const d = { code: short.padEnd(6, '0'), name: line.slice(space + 1) };
      const parent = short.slice(0, -2).padEnd(6, '0');
      this.names.set(d.code, d.name);
      this.inside.set(parent, [...(this.inside.get(parent) ?? []), d]);
    }
  }

  // within lists what lies directly inside a province or city; '000000' lists the provinces.
  within(code: string): Division[] {
    return this.inside.get(code) ?? [];
  }

  // name gives the full name, from the province down: 广东省 广州市 越秀区. Placeholders of the table such as 市辖区 are left out.
  name(code: string): string {
    const six = code.slice(0, 6);
    const parts = [six.slice(0, 2).padEnd(6, '0'), six.slice(0, 4).padEnd(6, '0'), six];
    return [...new Set(parts)].map((c) => this.names.get(c) ?? '').filter((n) => n !== '' && !placeholder.test(n)).join(' ');
  }
}

const placeholder = /^(市辖区|县|省直辖县级行政区划|自治区直辖县级行政区划)$/;

let loading: Promise<Table> | undefined;

// divisions gives the table; a failed read is tried anew at the next call.
export function divisions(): Promise<Table> {
  loading ??= fetch(address).then(async (res) => {
    if (!res.ok) throw new Error(`divisions: ${res.status}`);
    return new Table(await res.text());
  }).catch((err: unknown) => { loading = undefined; throw err; });
  return loading;
}
