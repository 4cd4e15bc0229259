import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, got } from '../../api/client';
import { busy, stepWords, useProgress } from '../../api/live';
import { useMe } from '../../api/session';
import { count, many } from '../../format';
import { FaultNote } from '../../parts/fault';
import { Text } from '../../parts/show';

const left = (seconds: number) => (seconds < 90 ? `about ${seconds} s left` : `about ${Math.round(seconds / 60)} min left`);

/** Sync all, and how far the work is while there is some. */
export function useSyncAll() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => got(api.POST('/sync', { body: { scope: 'all' } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['sync'] }),
  });
}

export function Live() {
  const { may } = useMe();
  const queries = useQueryClient();
  const { data: p } = useProgress();
  const cancel = useMutation({
    mutationFn: () => got(api.POST('/sync/cancel', { body: {} })),
    onSettled: () => queries.invalidateQueries({ queryKey: ['sync'] }),
  });
  if (!p || !busy(p)) return null;
  return (
    <section className="live" aria-label="Sync that runs">
      <div className="between">
        <span role="status">
          <b>
            {count(p.done)} of {many(p.of, 'customer')} synced
          </b>
          {p.secondsLeft !== undefined && <span className="quiet">, {left(p.secondsLeft)}</span>}
          {p.failing > 0 && <span className="quiet">, {count(p.failing)} failing</span>}
        </span>
        {may('technician') && (
          <Button onClick={() => cancel.mutate()} loading={cancel.isPending}>
            Stop
          </Button>
        )}
      </div>
      <progress value={p.done} max={Math.max(p.of, 1)} aria-label="Customers synced" />
      <ul className="small">
        {p.now.slice(0, 12).map((s) => (
          <li key={s.customer?.id} className="clip">
            <Text>{s.customer?.name}</Text>{' '}
            <span className="quiet">
              {s.step && stepWords[s.step]}
              {s.of !== undefined && s.of > 0 && `, ${s.done ?? 0} of ${s.of}`}
              {s.startedBy && `, ${s.startedBy}`}
            </span>
          </li>
        ))}
      </ul>
      {cancel.error && <FaultNote error={cancel.error} />}
    </section>
  );
}
