// What of a view stands where: which licenses are under which tab, what the verdict is,
// what an approval would come to.
import { add, amounts, compare, day, isZero, many, monthly, sums, times } from '../format';
import type { Change, Drift, License, Plan, SyncState, View } from './model';

export const tabs = ['changes', 'attention', 'unused', 'all', 'history'] as const;
export type Tab = (typeof tabs)[number];
export const tabWords: Record<Tab, string> = { changes: 'Changes', attention: 'Needs attention', unused: 'Unused', all: 'All', history: 'History' };

/** Lines of a license that somebody changed in ConnectWise, and that nobody answered for. */
export const driftOf = (view: View, l: License): Drift[] => view.drift.filter((d) => d.link === l.link?.key && !d.answer);

/** What waits for an approval: planned, and not put aside. */
export const waits = (l: License): l is License & { plan: Plan } => Boolean(l.plan && !l.plan.postponed);

/** Whether somebody has to say something before it can go on. */
export const needsSomebody = (view: View, l: License) =>
  l.state === 'unlinked' || l.state === 'attention' || driftOf(view, l).length > 0 || Boolean(waits(l) && !l.plan.approvable);

const under: Record<Exclude<Tab, 'history'>, (view: View, l: License) => boolean> = {
  changes: (_, l) => waits(l),
  attention: needsSomebody,
  unused: (_, l) => l.unused > 0 && l.state !== 'gone' && l.state !== 'doNotBill',
  all: () => true,
};

export interface Asked {
  tab: Tab;
  text: string;
  agreement?: number; // 0: those that are linked to none
}

const on = (l: License, agreement?: number) => agreement === undefined || (l.link?.agreement?.id ?? 0) === agreement;

/** The licenses that a tab shows. */
export function rowsOf(view: View, { tab, text, agreement }: Asked): License[] {
  if (tab === 'history') return [];
  const word = text.trim().toLowerCase();
  return view.licenses.filter(
    (l) =>
      under[tab](view, l) &&
      on(l, agreement) &&
      (!word || [l.name, l.partNumber, l.link?.profile?.name, l.link?.agreement?.name].some((t) => t?.toLowerCase().includes(word))),
  );
}

/** How many are under each tab. */
export const countsOf = (view: View, agreement?: number): Record<Exclude<Tab, 'history'>, number> => {
  const n = (tab: Exclude<Tab, 'history'>) => rowsOf(view, { tab, text: '', agreement }).length;
  return { changes: n('changes'), attention: n('attention'), unused: n('unused'), all: agreement === undefined ? view.totals.licenses : n('all') };
};

/** Where the pod opens: on what waits, else on all of it. */
export const firstTab = (view: View): Tab => (view.licenses.some(waits) ? 'changes' : 'all');

/** The agreements that the licenses of a company are billed on, by name. */
export function agreementsOf(view: View): { id: number; name: string }[] {
  const by = new Map(view.licenses.flatMap((l) => (l.link?.agreement ? [[l.link.agreement.id, l.link.agreement] as const] : [])));
  return [...by.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** The whole in one line, and what it comes to a month. */
export function verdictOf(view: View): { text: string; money?: string } {
  const v = view.verdict;
  if (v.waiting > 0) {
    const sum = monthly(v.money);
    return { text: `${many(v.waiting, 'change')} to bill${sum === '—' ? '' : ':'}`, money: sum === '—' ? undefined : `${sum} per month` };
  }
  if (v.attention > 0) return { text: `${many(v.attention, 'license')} ${v.attention === 1 ? 'needs' : 'need'} attention` };
  if (view.totals.licenses === 0) return { text: 'There are no licenses yet' };
  return { text: 'Every license is billed as it should be' };
}

/** What is purchased, assigned and unused: without what is not billed on purpose, such as ten thousand free seats. */
export function seatsOf(view: View): { purchased: number; assigned: number; unused: number } {
  if (view.licenses.length < view.totals.licenses) return view.totals;
  const of = view.licenses.filter((l) => l.state !== 'doNotBill' && l.state !== 'gone');
  const sum = (what: 'purchased' | 'assigned' | 'unused') => of.reduce((all, l) => all + l[what], 0);
  return { purchased: sum('purchased'), assigned: sum('assigned'), unused: sum('unused') };
}

export const unusedMoney = (view: View) => {
  const sum = amounts(view.totals.unusedMonthly);
  return sum === '—' ? '' : `, ${sum}/mo`;
};

/** Why a license can't be chosen for approval; undefined where it can. */
export function notApprovable(l: License): string | undefined {
  if (!l.plan) return 'nothing waits';
  if (l.plan.approvable) return undefined;
  return l.plan.holds.find((h) => !h.approvable)?.text ?? 'it needs an answer first';
}

/** What "all shown" selects: never an odd one, nor one that is put aside. */
export const amongAll = (l: License) => waits(l) && l.plan.approvable && !l.plan.odd;

/** What some licenses come to a month. */
export const sumOf = (of: License[]) => monthly(sums(of.flatMap((l) => (l.plan ? [l.plan.money] : []))));

/** The day from which all of it counts, where that is one day. */
export function since(of: License[]): string | undefined {
  const days = new Set(of.flatMap((l) => l.plan?.changes.flatMap((c) => (c.after && told(c) ? [c.after.effective] : [])) ?? []));
  return days.size === 1 ? day([...days][0] ?? '') : undefined;
}

export const told = (c: Change) => c.action !== 'keep' && c.action !== 'none';

/** The sum as a person would do it, where the price is one and the money of the plan is exactly that. */
export function ledgerOf(l: License) {
  const p = l.plan;
  if (!p || !l.unitPrice || isZero(l.unitPrice)) return undefined;
  const more = p.seats.billed - p.was;
  if (more === 0 || compare(times(more, l.unitPrice), p.money.monthly) !== 0) return undefined;
  const line = (n: number) => ({ n, price: l.unitPrice as string, sum: times(n, l.unitPrice as string) });
  return { was: line(p.was), more: line(more), will: line(p.seats.billed), currency: p.money.currency };
}

/** A sentence for the customer about seats that nobody uses. */
export function noteOf(l: License, company: string): string {
  const cost = l.unusedMonthly ? ` They cost ${amounts([l.unusedMonthly])} a month.` : '';
  return `${company} pays for ${many(l.purchased, 'license')} of ${l.name}; ${l.unused} of them ${l.unused === 1 ? 'is' : 'are'} assigned to nobody.${cost} Shall we reduce them at the next renewal?`;
}

export const busy = (s: SyncState | undefined) => s?.state === 'due' || s?.state === 'running';

const steps = { fetch: 'Reading licenses', plan: 'Planning', write: 'Writing to ConnectWise', finish: 'Finishing' };

/** How far a sync is, in words. */
export function stepOf(s: SyncState): string {
  if (s.state === 'due') return 'Waiting for its turn';
  const n = s.of ? `, ${s.done ?? 0} of ${s.of}` : '';
  return `${s.step ? steps[s.step] : 'Beginning'}${n}`;
}

/** What became of approved licenses once their run is over: what waits still was not written. */
export function outcomeOf(view: View, links: string[]) {
  const left = view.licenses.filter((l) => waits(l) && links.includes(l.plan.link));
  return { written: links.length - left.length, left };
}

export const total = (of: { money: { monthly: string } }[]) => add(...of.map((m) => m.money.monthly));
