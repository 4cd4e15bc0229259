import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, got, type Schemas } from '../../api/client';
import { useMe } from '../../api/session';
import { FaultNote } from '../../parts/fault';
import type { Plan } from './choose';

type Kind = Schemas['AnswerKind'];

// The other answers want more than a click, and are given on the link.
const words: Partial<Record<Kind, string>> = {
  driftAdopt: 'Keep it as it was changed',
  driftRevert: 'Set it back',
  driftDetach: 'Leave the line alone from now on',
  invoiceComesAgain: 'The invoice is made again',
  invoicesStayDeleted: 'The invoice stays deleted',
  billTrials: 'Bill trials',
  dontBillTrials: 'Do not bill trials',
  subscriptionEnded: 'The subscription has ended',
};

/** The answers that the holds of a plan take. */
export function Answers({ plan }: { plan: Plan }) {
  const { may } = useMe();
  const queries = useQueryClient();
  const answer = useMutation({
    mutationFn: (body: Schemas['Answer']) => got(api.POST('/links/{link}/answer', { params: { path: { link: plan.link } }, body })),
    onSettled: () => Promise.all([queries.invalidateQueries({ queryKey: ['approvals'] }), queries.invalidateQueries({ queryKey: ['overview'] })]),
  });
  const takes = [...new Set(plan.holds.flatMap((h) => h.answers))].filter((k) => words[k]);
  const changed = [...new Set(plan.changes.filter((c) => c.code === 'addition_changed_by_hand').flatMap((c) => c.additionId ?? []))];
  if (!may('billing') || takes.length === 0) return null;
  const lines = (kind: Kind) => (kind.startsWith('drift') ? changed.map((id): [number | undefined, string] => [id, changed.length > 1 ? ` (#${id})` : '']) : [[undefined, ''] as [undefined, string]]);
  return (
    <div className="stack tight">
      <div className="row wrap">
        {takes.flatMap((kind) =>
          lines(kind).map(([id, mark]) => (
            <Button
              key={`${kind}${id ?? ''}`}
              loading={answer.isPending && answer.variables.kind === kind}
              disabled={answer.isPending || answer.isSuccess}
              onClick={() => answer.mutate({ kind, fingerprint: plan.fingerprint, ...(id ? { additions: [id] } : {}) })}
            >
              {words[kind]}
              {mark}
            </Button>
          )),
        )}
      </div>
      {answer.isSuccess && <p role="status">Answered. The customer is synced next.</p>}
      {answer.error && <FaultNote error={answer.error} />}
    </div>
  );
}
