import { call, unsettled } from './api';
import type { OneEvent } from './oneevent';
import { retry } from './retry';

// submit sends a write that names its own event, and sends it again under the same id while nothing is known of it.
export function submit<T>(event: OneEvent, path: string, body: Record<string, unknown>, field: 'id' | 'event', waits = [1000, 3000]): Promise<T> {
  const named = { ...body, [field]: event.idFor(body) };
  return retry(() => call<T>('POST', path, named), unsettled, waits);
}
