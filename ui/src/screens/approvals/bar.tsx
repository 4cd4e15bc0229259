import { Button, TextInput } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { useZone } from '../../api/session';
import { dayOf, many, monthly, sums } from '../../format';
import { FaultNote } from '../../parts/fault';
import { choiceOf, type Plan } from './choose';

type Results = Schemas['ApprovalResult'][];

/** What is selected, and what is done with it; it asks once more before anything is written. */
export function Bar({ plans, onClear }: { plans: Plan[]; onClear: () => void }) {
  const zone = useZone();
  const queries = useQueryClient();
  const [step, setStep] = useState<'choose' | 'confirm' | 'hold'>('choose');
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const [results, setResults] = useState<{ done: string; of: Results }>();

  const after = async (done: string, of: Results) => {
    setResults({ done, of });
    setStep('choose');
    onClear();
    await Promise.all(['approvals', 'overview', 'sync'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
  };
  const approve = useMutation({
    mutationFn: () => got(api.POST('/approvals/approve', { body: { plans: plans.map(choiceOf) } })),
    onSuccess: (r) => after('approved. They are written next.', r.results),
  });
  const hold = useMutation({
    mutationFn: () => got(api.POST('/approvals/postpone', { body: { plans: plans.map(choiceOf), until, reason } })),
    onSuccess: (r) => after('held.', r.results),
  });
  const resume = useMutation({
    mutationFn: () => got(api.POST('/approvals/resume', { body: { links: plans.map((p) => p.link) } })),
    onSuccess: (r) => after('taken up again.', r.results),
  });
  useHotkeys(
    [
      ['a', () => plans.length > 0 && setStep('confirm')],
      ['Escape', () => setStep('choose')],
    ],
    ['INPUT', 'TEXTAREA'],
  );

  const fault = approve.error ?? hold.error ?? resume.error;
  const sum = monthly(sums(plans.map((p) => p.money)));
  if (plans.length === 0) return results ? <Result of={results} onClose={() => setResults(undefined)} /> : null;
  const held = plans.every((p) => p.postponed);
  return (
    <>
      {fault && <FaultNote error={fault} />}
      <div className="bar" role="region" aria-label="Selection">
        {step === 'choose' && (
          <>
            <span role="status">
              <b>{plans.length} selected</b>, {sum} per month
            </span>
            <Button onClick={onClear}>Clear</Button>
            {held ? (
              <Button onClick={() => resume.mutate()} loading={resume.isPending}>
                Take up again
              </Button>
            ) : (
              <Button onClick={() => setStep('hold')}>Hold…</Button>
            )}
            <Button variant="filled" onClick={() => setStep('confirm')} disabled={plans.length > 500}>
              Approve and apply
            </Button>
          </>
        )}
        {step === 'confirm' && (
          <>
            <span>
              Write <b>{many(plans.length, 'change')}</b> to ConnectWise, <b>{sum} per month</b>?
            </span>
            <Button onClick={() => setStep('choose')}>Cancel</Button>
            <Button variant="filled" autoFocus onClick={() => approve.mutate()} loading={approve.isPending}>
              Apply {plans.length}
            </Button>
          </>
        )}
        {step === 'hold' && (
          <form
            className="row wrap"
            style={{ flex: 1 }}
            onSubmit={(e) => {
              e.preventDefault();
              hold.mutate();
            }}
          >
            <TextInput type="date" aria-label="Hold until" required autoFocus min={dayOf(new Date(Date.now() + 86_400_000), zone)} value={until} onChange={(e) => setUntil(e.currentTarget.value)} />
            <TextInput aria-label="Reason" placeholder="Reason" required maxLength={1000} style={{ flex: 1 }} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
            <Button onClick={() => setStep('choose')}>Cancel</Button>
            <Button type="submit" variant="filled" loading={hold.isPending}>
              Hold {plans.length}
            </Button>
          </form>
        )}
      </div>
    </>
  );
}

function Result({ of: { done, of }, onClose }: { of: { done: string; of: Results }; onClose: () => void }) {
  const good = of.filter((r) => r.result === 'approved').length;
  const bad = of.filter((r) => r.result !== 'approved');
  return (
    <div className={bad.length ? 'bar warn' : 'bar ok'} role="status">
      <div>
        <b>{good}</b> {done}
        {bad.length > 0 && (
          <>
            {' '}
            {bad.length} not:
            {bad.slice(0, 3).map((r) => (
              <div key={r.link}>
                {r.plan && `${r.plan.license.name}, ${r.plan.customer.name}: `}
                {r.result === 'moved' && r.plan ? `Changed since you looked: now ${r.plan.seats.billed}.` : r.text}
              </div>
            ))}
          </>
        )}
      </div>
      <Button onClick={onClose}>Close</Button>
    </div>
  );
}
