// The shapes of the HTTP API that the pages use, as /openapi.json has them. Times are RFC 3339 text.
import type { Text } from '../i18n';

export type Colour = 'red' | 'yellow' | 'green';
export type Decision = 'refer' | 'turn-back' | 'central-isolate' | 'home-isolate' | 'pass';

export interface Progress { have: number; need: number; next?: string; what: Text }

export interface Reason {
  rule: string;
  colour?: Colour;
  why: Text;
  guidance: Text;
  clears: Text;
  since: string;
  until: string;
  progress?: Progress;
}

// CodeView is GET /v1/me/code. Without a colour (told false) there is no code.
export interface CodeView {
  code?: string;
  told: boolean;
  cannot_tell?: string;
  colour?: Colour;
  label?: string;
  reason: string;
  reasons: Reason[];
  duties?: Reason[];
  issued_at: string;
  expires_at: string;
  refresh_at: string;
  next_change?: string;
  masked_name: string;
  rules: { id: string; version: string; digest: string };
  as_of?: string; // the register did not answer: decided from what the server knew at that time
}

export interface Verdict {
  event: string;
  at: string;
  decision: Decision;
  told: boolean;
  colour?: Colour;
  cannot_tell?: string;
  reason: string;
  why: Text;
  guidance: Text;
  masked_name?: string;
  id_tail?: string;
  flags?: string[];
}

export interface Gate { id: string; name: Text; kind: string; district: string; policy?: { challenge?: boolean } }

export interface Passage {
  event: string;
  at: string;
  gate: string;
  district: string;
  told: boolean;
  colour?: Colour;
  decision: Decision;
  reason: string;
  direction?: string;
  temperature?: number;
}

export interface Me { person: string; name: string; id_number: string; phone: string; home: string; registered_at: string }

export interface HourRow { keys: string[]; count: number }
export interface ByHour { since: string; until: string; columns: string[]; rows: HourRow[] | null; suppressed: number; data_as_of: string }

export interface LogIn { status: 'sent' | 'logged-in'; token?: string; role?: string; expires_at?: string }
