// Why a signed document or a scan without a network was not taken.
export type Fault = 'document_malformed' | 'document_forged' | 'document_key' | 'bundle' | 'bundle_old'
  | 'code' | 'direction' | 'temperature' | 'challenge' | 'trust_list_early' | 'trust_list_expired' | 'status_list_early' | 'status_list_expired';

// Refused says why a document or a scan was not taken, with the server's own codes.
export class Refused extends Error {
  constructor(readonly code: Fault) { super(code); }
}
