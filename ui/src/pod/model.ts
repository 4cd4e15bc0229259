import type { components } from '../api/schema';

export type Schemas = components['schemas'];
export type License = Schemas['License'];
export type Plan = Schemas['Plan'];
export type Change = Schemas['Change'];
export type Drift = Schemas['Drift'];
export type SyncState = Schemas['SyncState'];
export type Run = Schemas['RunSummary'];
export type View = Schemas['EmbedView'];
export type Session = Schemas['EmbedSession'];
export type Challenge = Schemas['EmbedChallenge'];

/** A record of Manage that the pod can stand on. */
export interface Place {
  screen: Schemas['EmbedScreen'];
  id: string;
}

/** The place that a screen of Manage with a record is; its kinds of screen are more than ours. */
export function placeOf(screen: string, id: string): Place | undefined {
  if (!/^[0-9]{1,10}$/.test(id)) return undefined;
  const name = screen.toLowerCase();
  if (name.startsWith('agreement')) return { screen: 'agreement', id };
  if (name.startsWith('company')) return { screen: 'company', id };
  return undefined;
}

/** What a request was refused with: a sentence of what happened and one of what to do. */
export class Fault extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly action: string;
  readonly reference: string;

  constructor(p: Partial<Schemas['Problem']>) {
    super(p.detail ?? 'Trueup did not answer.');
    this.status = p.status ?? 0;
    this.code = p.code ?? 'unreachable';
    this.detail = this.message;
    this.action = p.action ?? 'Try again in a minute.';
    this.reference = p.reference ?? '';
  }
}
