// What a device keeps, in IndexedDB. Where the browser gives none (private windows of some), it is kept until the page is closed.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';

export type Store = 'phone' | 'gate' | 'queue' | 'marks';

interface Kept extends DBSchema {
  phone: { key: string; value: unknown }; // the resident's credentials with their secrets, never sent
  gate: { key: string; value: unknown }; // a gate's bundle and what it remembers
  queue: { key: string; value: unknown }; // sealed passages that a server has not yet taken, by event id
  marks: { key: string; value: unknown }; // keyed hashes of what a gate saw lately, by event id
}

let opening: Promise<IDBPDatabase<Kept> | undefined> | undefined;
const memory: Record<Store, Map<string, unknown>> = { phone: new Map(), gate: new Map(), queue: new Map(), marks: new Map() };

function open(): Promise<IDBPDatabase<Kept> | undefined> {
  opening ??= openDB<Kept>('kangma', 2, {
    upgrade: (db) => (['phone', 'gate', 'queue', 'marks'] as const).forEach((s) => db.objectStoreNames.contains(s) || db.createObjectStore(s)),
    blocking: (_, __, e) => (e.target as IDBDatabase).close(),
    terminated: () => { opening = undefined; },
  }).catch(() => undefined);
  return opening;
}

// lasting says whether what is kept outlives the page.
export const lasting = async (): Promise<boolean> => (await open()) !== undefined;

export async function get<T>(store: Store, key: string): Promise<T | undefined> {
  const db = await open();
  return (db ? await db.get(store, key) : memory[store].get(key)) as T | undefined;
}

export async function all<T>(store: Store): Promise<T[]> {
  const db = await open();
  return (db ? await db.getAll(store) : [...memory[store].values()]) as T[];
}

// Change is one value to put (undefined: to delete).
export interface Change { store: Store; key: string; value: unknown }

// write makes all changes or none, and returns when they are on the disk as far as the browser tells.
export async function write(...changes: Change[]): Promise<void> {
  const db = await open();
  if (!db) {
    changes.forEach(({ store, key, value }) => (value === undefined ? memory[store].delete(key) : memory[store].set(key, value)));
    return;
  }
  const tx = db.transaction([...new Set(changes.map((c) => c.store))], 'readwrite', { durability: 'strict' });
  const done = changes.map(({ store, key, value }) => (value === undefined ? tx.objectStore(store).delete(key) : tx.objectStore(store).put(value, key)));
  await Promise.all([...done, tx.done]);
}

export async function clear(store: Store): Promise<void> {
  memory[store].clear();
  await (await open())?.clear(store);
}
