import { describe, expect, it } from 'vitest';
import type { License, Plan, View } from './model';
import { placeOf } from './model';
import { agreementsOf, amongAll, countsOf, driftOf, firstTab, ledgerOf, needsSomebody, notApprovable, noteOf, outcomeOf, rowsOf, seatsOf, since, stepOf, sumOf, unusedMoney, verdictOf } from './rows';

const line = (effective: string) => ({ serial: 'TU-1', role: 'standing' as const, product: 'M365-BP', quantity: '87', bill: 'billable' as const, effective, description: '' });

function plan(link: string, more: Partial<Plan> = {}): Plan {
  return {
    link,
    customer: { id: 1, company: 200, identifier: 'Coho', name: 'Coho' },
    license: { id: 'x', name: 'x', partNumber: 'X' },
    fingerprint: 'f',
    direction: 'increase',
    odd: false,
    approvable: true,
    holds: [],
    changes: [{ group: 'g', link, license: 'x', action: 'update', state: 'held', reason: '', seats: { seen: 87, billed: 87 }, money: { currency: 'USD', monthly: '85.80', nextInvoice: '85.80' }, after: line('2026-12-01') }],
    seats: { seen: 87, billed: 87 },
    was: 84,
    money: { currency: 'USD', monthly: '85.80', nextInvoice: '85.80' },
    since: '2026-11-20',
    ...more,
  } as Plan;
}

function license(id: string, more: Partial<License> = {}): License {
  return {
    id,
    customer: { id: 1, company: 200, identifier: 'Coho', name: 'Coho' },
    tenant: 't',
    sku: 's',
    partNumber: id.toUpperCase(),
    name: id,
    companyWide: false,
    purchased: 100,
    assigned: 100,
    unused: 0,
    grace: 0,
    subscriptions: [],
    state: 'linked',
    billed: 84,
    ...more,
  } as License;
}

const linked = (key: string, agreement = 4000) =>
  ({ key, license: 'x', options: {}, lines: [], billed: 84, version: '1', profile: { id: 1, name: 'M365 BP' }, agreement: { id: agreement, name: `Managed ${agreement}` } }) as unknown as License['link'];

function view(licenses: License[], more: Partial<View> = {}): View {
  return {
    state: 'ready',
    record: { screen: 'company', id: 200, name: 'Coho', company: { id: 200, name: 'Coho' } },
    checked: true,
    role: 'billing',
    rights: { link: true, sync: true, approve: true, setUp: false },
    verdict: { waiting: 0, money: [], attention: 0, observing: false },
    totals: { licenses: licenses.length, purchased: 0, assigned: 0, unused: 0, unusedMonthly: [], billed: [] },
    licenses,
    drift: [],
    connections: [],
    runs: [],
    administrators: [],
    ...more,
  } as View;
}

describe('the tabs', () => {
  const changed = license('changed', { state: 'changes', link: linked('k1'), plan: plan('k1') });
  const aside = license('aside', { state: 'changes', link: linked('k2', 4001), plan: plan('k2', { postponed: { until: '2026-12-24', reason: 'asked', by: 'Sam', at: '' } }) });
  const free = license('free', { state: 'unlinked', unused: 3 });
  const held = license('held', { state: 'attention', link: linked('k3'), plan: plan('k3', { approvable: false, holds: [{ code: 'agreement_ends', text: 'It ends.', approvable: false, answers: [] }] }) });
  const gone = license('gone', { state: 'gone', unused: 9 });
  const v = view([changed, aside, free, held, gone]);

  it.each([
    ['changes', ['changed', 'held']],
    ['attention', ['free', 'held']],
    ['unused', ['free']],
    ['all', ['changed', 'aside', 'free', 'held', 'gone']],
    ['history', []],
  ] as const)('%s shows %j', (tab, names) => {
    expect(rowsOf(v, { tab, text: '' }).map((l) => l.id)).toEqual(names);
  });

  it('are counted, also on one agreement', () => {
    expect(countsOf(v)).toEqual({ changes: 2, attention: 2, unused: 1, all: 5 });
    expect(countsOf(v, 4000)).toEqual({ changes: 2, attention: 1, unused: 0, all: 2 });
    expect(countsOf(v, 0)).toEqual({ changes: 0, attention: 1, unused: 1, all: 2 });
  });

  it('are filtered by license, profile and agreement, in any case', () => {
    expect(rowsOf(v, { tab: 'all', text: ' FREE ' }).map((l) => l.id)).toEqual(['free']);
    expect(rowsOf(v, { tab: 'all', text: 'managed 4001' }).map((l) => l.id)).toEqual(['aside']);
    expect(rowsOf(v, { tab: 'all', text: 'm365 bp' })).toHaveLength(3);
  });

  it('begin with what waits, else with all', () => {
    expect(firstTab(v)).toBe('changes');
    expect(firstTab(view([aside, free]))).toBe('all');
  });

  it('know the agreements by name', () => expect(agreementsOf(v).map((a) => a.id)).toEqual([4000, 4001]));

  it('a line that somebody changed needs somebody, until it is answered', () => {
    const drift = { link: 'k1', addition: 7 } as View['drift'][number];
    const of = license('x', { link: linked('k1') });
    expect(needsSomebody(view([of], { drift: [drift] }), of)).toBe(true);
    expect(driftOf(view([of], { drift: [{ ...drift, answer: 'revert' }] }), of)).toEqual([]);
    expect(needsSomebody(view([of]), of)).toBe(false);
  });

  it('all that is shown is not what is odd, put aside or not approvable', () => {
    const odd = license('odd', { plan: plan('k', { odd: true }) });
    expect([changed, aside, free, held, odd].filter(amongAll).map((l) => l.id)).toEqual(['changed']);
    expect(notApprovable(held)).toBe('It ends.');
    expect(notApprovable(changed)).toBeUndefined();
    expect(notApprovable(free)).toBe('nothing waits');
  });

  it('what waits still after its run was not written', () => {
    expect(outcomeOf(v, ['k1', 'k2', 'k3', 'written'])).toEqual({ written: 2, left: [changed, held] });
  });
});

describe('the verdict', () => {
  const says = (verdict: Partial<View['verdict']>, of = [license('a')]) => verdictOf(view(of, { verdict: { waiting: 0, money: [], attention: 0, observing: false, ...verdict } }));

  it.each([
    [{ waiting: 4, money: [{ currency: 'USD', monthly: '95.10', nextInvoice: '0' }] }, { text: '4 changes to bill:', money: '+$95.10 per month' }],
    [{ waiting: 1, money: [{ currency: 'USD', monthly: '-15.60', nextInvoice: '0' }] }, { text: '1 change to bill:', money: '−$15.60 per month' }],
    [{ waiting: 1, money: [{ currency: 'USD', monthly: '0', nextInvoice: '0' }] }, { text: '1 change to bill', money: undefined }],
    [{ attention: 1 }, { text: '1 license needs attention' }],
    [{ attention: 2 }, { text: '2 licenses need attention' }],
    [{}, { text: 'Every license is billed as it should be' }],
  ])('of %j is %j', (verdict, said) => expect(says(verdict)).toEqual(said));

  it('of nothing is that there is nothing', () => expect(says({}, [])).toEqual({ text: 'There are no licenses yet' }));

  it('counts no seats that are not billed on purpose, while it has all of them', () => {
    const of = [license('a', { purchased: 5, assigned: 3, unused: 2 }), license('free', { state: 'doNotBill', purchased: 10000, assigned: 1, unused: 9999 })];
    expect(seatsOf(view(of))).toEqual({ purchased: 5, assigned: 3, unused: 2 });
    const page = view(of);
    page.totals = { ...page.totals, licenses: 200, purchased: 900, assigned: 800, unused: 100 };
    expect(seatsOf(page)).toMatchObject({ purchased: 900, assigned: 800, unused: 100 });
  });

  it('names what nobody uses, with its money', () => {
    expect(unusedMoney(view([]))).toBe('');
    expect(unusedMoney(view([], { totals: { licenses: 0, purchased: 0, assigned: 0, unused: 3, unusedMonthly: [{ currency: 'USD', amount: '564.4' }], billed: [] } }))).toBe(', $564.40/mo');
  });
});

describe('the ledger', () => {
  const of = (more: Partial<License>) => ledgerOf(license('x', { link: linked('k'), unitPrice: '28.60', plan: plan('k'), ...more }));

  it('is the sum as a person does it', () => {
    expect(of({})).toEqual({
      was: { n: 84, price: '28.60', sum: '2402.4' },
      more: { n: 3, price: '28.60', sum: '85.8' },
      will: { n: 87, price: '28.60', sum: '2488.2' },
      currency: 'USD',
    });
  });

  it('is left out where the money says something else: another cycle, another price', () => {
    expect(of({ unitPrice: '30' })).toBeUndefined();
    expect(of({ unitPrice: undefined })).toBeUndefined();
    expect(of({ plan: plan('k', { was: 87 }) })).toBeUndefined();
  });

  it('sums what is selected, from one day where it is one', () => {
    const two = [license('a', { plan: plan('k1') }), license('b', { plan: plan('k2', { money: { currency: 'USD', monthly: '-15.60', nextInvoice: '0' } }) })];
    expect(sumOf(two)).toBe('+$70.20');
    expect(since(two)).toBe('1 Dec');
    expect(since([])).toBeUndefined();
  });
});

it('a note for the customer is one that can be sent', () => {
  expect(noteOf(license('Visio', { purchased: 5, unused: 1, unusedMonthly: { currency: 'USD', amount: '15' } }), 'Coho')).toBe(
    'Coho pays for 5 licenses of Visio; 1 of them is assigned to nobody. They cost $15.00 a month. Shall we reduce them at the next renewal?',
  );
});

it('a sync says how far it is', () => {
  const s = { customer: { id: 1, company: 1, identifier: '', name: '' }, failures: 0 } as const;
  expect(stepOf({ ...s, state: 'due' })).toBe('Waiting for its turn');
  expect(stepOf({ ...s, state: 'running' })).toBe('Beginning');
  expect(stepOf({ ...s, state: 'running', step: 'fetch', done: 21, of: 50 })).toBe('Reading licenses, 21 of 50');
});

it.each([
  ['agreement', '444', { screen: 'agreement', id: '444' }],
  ['AgreementDetail', '1', { screen: 'agreement', id: '1' }],
  ['companyfinance', '2', { screen: 'company', id: '2' }],
  ['ticket', '3', undefined],
  ['agreement', '-1', undefined],
  ['agreement', '1 or 1=1', undefined],
  ['agreement', '[cw_id]', undefined],
  ['agreement', '99999999999', undefined],
])('%s %s is %j', (screen, id, place) => expect(placeOf(screen, id)).toEqual(place));
