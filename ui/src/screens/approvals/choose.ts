import type { Schemas } from '../../api/client';
import { oneOf, type Search, whole } from '../../parts/search';

export type Plan = Schemas['Plan'];
export type Row = { kind: 'customer'; customer: Plan['customer']; plans: Plan[] } | { kind: 'plan'; plan: Plan };

/** What an address asks the server for. */
export function asked(search: Search) {
  const yes = (word?: string) => (word === 'true' ? true : word === 'false' ? false : undefined);
  return {
    q: search.q || undefined,
    customer: whole(search.customer),
    company: whole(search.company),
    agreement: whole(search.agreement),
    agreementType: whole(search.agreementType),
    profile: whole(search.profile),
    direction: oneOf(search.direction, ['increase', 'decrease', 'other'] as const),
    over: /^\d{1,15}(\.\d{1,10})?$/.test(search.over ?? '') ? search.over : undefined,
    olderThan: whole(search.olderThan),
    odd: yes(search.odd),
    postponed: yes(search.postponed),
  };
}

/** Plans under their customers, in the order in which they come; or as they are. */
export function rowsOf(plans: Plan[], flat: boolean): Row[] {
  if (flat) return plans.map((plan) => ({ kind: 'plan', plan }));
  const by = new Map<number, Plan[]>();
  for (const p of plans) by.set(p.customer.id, [...(by.get(p.customer.id) ?? []), p]);
  return [...by.values()].flatMap((of): Row[] => (of[0] ? [{ kind: 'customer', customer: of[0].customer, plans: of }, ...of.map((plan): Row => ({ kind: 'plan', plan }))] : []));
}

/** Why a plan can't be chosen; undefined where it can. */
export function notApprovable(p: Plan): string | undefined {
  if (p.approvable) return undefined;
  const hold = p.holds.find((h) => !h.approvable);
  return hold ? hold.text : 'it needs an answer first';
}

/** What is among all: never an odd one, nor one that is put aside. */
export const amongAll = (p: Plan) => p.approvable && !p.odd && !p.postponed;

/** What is approved: exactly what was shown. */
export const choiceOf = (p: Plan): Schemas['PlanChoice'] => ({ link: p.link, fingerprint: p.fingerprint });
