import { skew } from '../../code/keyring';
import { Refused } from './document';

// Numbered is a document that never goes back. Times are Unix seconds.
export interface Numbered { number: number; issued: number; expires: number }

// checkNumbered refuses a list that is no list, too old or from the future. at is in milliseconds.
export function checkNumbered(what: 'trust_list' | 'status_list', n: Numbered, at: number): void {
  if (n.number <= 0 || n.issued >= n.expires) throw new Refused('document_malformed');
  if (at < n.issued * 1000 - skew) throw new Refused(`${what}_early`);
  if (at >= n.expires * 1000 + skew) throw new Refused(`${what}_expired`);
}
