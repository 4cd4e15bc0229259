import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError, api, got, match } from '../../api/client';
import { Checks } from '../../parts/checks';
import { FaultNote } from '../../parts/fault';
import { type Connection, type ConnectionInput, connectionQuery, type Saved } from './data';

/** Tries a connection and saves it: a new one, or one that is there. */
export function useSaving(connection: Connection | undefined, on: { saved: (saved: Saved) => void; failed: (error: unknown) => void }) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: ConnectionInput) =>
      connection
        ? got(api.PUT('/connections/{connection}', { params: { path: { connection: connection.id }, header: match(connection.version) }, body }))
        : got(api.POST('/connections', { body })),
    onSuccess: async (saved) => {
      queries.setQueryData(connectionQuery(saved.connection.id).queryKey, saved.connection);
      await Promise.all(['connections', 'setup', 'overview', 'matches', 'agreement-types'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
      on.saved(saved);
    },
    onError: on.failed,
  });
}

/** Why a connection was not saved, check by check; it can be saved all the same. */
export function NotSaved({ error, subject, onAnyway }: { error: unknown; subject: string; onAnyway?: () => void }) {
  if (!error) return null;
  const checks = error instanceof ApiError ? error.checks : [];
  const fields = error instanceof ApiError && error.faults.length > 0;
  return (
    <div className="stack">
      <FaultNote error={error} />
      {checks.length > 0 && <Checks checks={checks} subject={subject} said={error instanceof ApiError ? error.detail : undefined} />}
      {checks.length > 0 && !fields && onAnyway && (
        <div className="row wrap">
          <Button onClick={onAnyway}>Save without a working test</Button>
          <span className="small quiet">Nothing is read or written through it until it works.</span>
        </div>
      )}
    </div>
  );
}
