import { Button, Modal, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, got } from '../../api/client';
import { useMe } from '../../api/session';
import { amounts, day, many } from '../../format';
import { FaultNote } from '../../parts/fault';
import { Text } from '../../parts/show';
import { batchesQuery, type Filter, type Line, monthlyOf, tally } from './data';

interface Props {
  filter: Filter;
  fingerprint: string;
  chosen: Line[];
  left: Line[];
  onClose: () => void;
  onMoved: () => void;
  onDone: (batch: string) => void;
}

/** Ends the lines that were chosen of those shown, after the name of the workspace was typed. */
export function Apply({ filter, fingerprint, chosen, left, onClose, onMoved, onDone }: Props) {
  const { workspace } = useMe();
  const queries = useQueryClient();
  const [typed, setTyped] = useState('');
  const name = workspace?.name ?? '';
  const apply = useMutation({
    mutationFn: () => got(api.POST('/cutover', { body: { filter, fingerprint, leaveOut: left.map((l) => l.addition) } })),
    onSuccess: async (r) => {
      queries.setQueryData(['cutover', 'batch', r.batch.id], r);
      onDone(r.batch.id);
      await queries.invalidateQueries({ queryKey: batchesQuery.queryKey });
    },
  });
  const n = tally(chosen);
  const moved = apply.error instanceof ApiError && apply.error.status === 412;
  const sure = typed.trim() === name.trim();
  return (
    <Modal opened onClose={onClose} title={`End ${many(chosen.length, 'line')}?`} size="md" closeOnClickOutside={!apply.isPending} closeOnEscape={!apply.isPending}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          if (sure && !apply.isPending) apply.mutate();
        }}
      >
        <p>
          In ConnectWise their last billed day becomes <b>{day(filter.lastDay)}</b>: <b>{amounts(monthlyOf(chosen))} per month</b> of another tool or of hand-made lines ends.
        </p>
        {n.twice > 0 && (
          <div className="note bad">
            <div>{many(n.twice, 'of them is', 'of them are')} billed twice for some days: the line of Trueup has begun already.</div>
          </div>
        )}
        {n.gap > 0 && (
          <div className="note warn">
            <div>After {many(n.gap, 'of them', 'of them')} some days are billed by nobody.</div>
          </div>
        )}
        {n.unfollowed > 0 && (
          <div className="note warn">
            <div>Nothing of Trueup follows {many(n.unfollowed, 'of them', 'of them')}: these products are not billed there any more.</div>
          </div>
        )}
        <p>
          Type{' '}
          <b>
            <Text>{name}</Text>
          </b>{' '}
          to go on.
        </p>
        <TextInput aria-label="Name of the workspace" autoComplete="off" value={typed} onChange={(e) => setTyped(e.currentTarget.value)} disabled={apply.isPending} data-autofocus />
        {apply.isPending && (
          <p className="quiet" role="status">
            Writing. It goes on when this page is closed.
          </p>
        )}
        {apply.error && <FaultNote error={apply.error} onRetry={moved ? onMoved : undefined} />}
        <div className="row end">
          <Button onClick={onClose} disabled={apply.isPending}>
            Cancel
          </Button>
          <Button type="submit" variant="filled" disabled={!sure} loading={apply.isPending}>
            End {many(chosen.length, 'line')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
