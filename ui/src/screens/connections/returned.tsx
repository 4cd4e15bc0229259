import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { Bones, State } from '../../parts/fault';
import { whole } from '../../parts/search';
import { Text } from '../../parts/show';
import { tell } from './consent';
import { connectionQuery } from './data';
import { refusal } from './refusal';

/** What is seen in the tab that comes back from Microsoft. The page that waited goes on. */
export function Returned({ search, onGoOn }: { search: Record<string, string>; onGoOn: () => void }) {
  const id = whole(search.connection) ?? 0;
  const code = search.consent === 'failed' && /^[A-Za-z0-9_]{1,64}$/.test(search.code ?? '') ? search.code : undefined;
  const failed = search.consent !== 'done';
  const connection = useQuery({ ...connectionQuery(id), enabled: id > 0 });
  const word = useMemo(() => ({ connection: id, code: failed ? (code ?? 'unknown') : undefined }), [id, code, failed]);
  useEffect(() => tell(word, () => window.close()), [word]);
  if (id > 0 && connection.isPending) return <Bones rows={3} />;
  const [what, action] = refusal(word.code ?? '', connection.data);
  return (
    <State
      screen
      title={failed ? what : 'Microsoft is connected'}
      action={
        <>
          <Button onClick={() => window.close()}>Close this tab</Button>
          <Button variant="filled" onClick={onGoOn}>
            Go on here
          </Button>
        </>
      }
    >
      {failed ? (
        action
      ) : (
        <>
          <Text>{connection.data?.name ?? 'The connection'}</Text> is signed in. You can close this tab: the other one goes on by itself.
        </>
      )}
    </State>
  );
}
