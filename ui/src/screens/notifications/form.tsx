import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, got } from '../../api/client';
import { FaultNote } from '../../parts/fault';
import { Text, Time } from '../../parts/show';
import { notificationsQuery, same, sent, type Settings, type Wanted } from './data';

/** What the user wants to be told, as it is edited, and how it is saved. */
export function useWanted(of: Settings) {
  const queries = useQueryClient();
  const [edited, setEdited] = useState<Wanted>();
  const wanted = edited ?? of.settings;
  const dirty = edited !== undefined && !same(edited, of.settings);
  const save = useMutation({
    mutationFn: () => got(api.PUT('/me/notifications', { body: sent(wanted) })),
    onSuccess: async (is) => {
      queries.setQueryData(notificationsQuery.queryKey, is);
      setEdited(undefined);
      await queries.invalidateQueries({ queryKey: ['setup'] });
    },
  });
  const errors = save.error instanceof ApiError ? save.error.fields : {};
  return {
    wanted,
    dirty,
    save,
    errors,
    set: (to: Wanted) => {
      setEdited(to);
      if (!save.isPending) save.reset();
    },
    discard: () => {
      setEdited(undefined);
      save.reset();
    },
  };
}

/** That no mail can be sent, or that the last one came back; nothing where all is well. */
export function MailState({ of }: { of: Settings }) {
  // A failure that a success came after is over.
  const bounced = of.lastFailed !== undefined && (of.lastSent === undefined || of.lastFailed > of.lastSent);
  return (
    <>
      {!of.mail && (
        <div className="note warn">
          <div>This service can't send mail, so nobody is told anything. Ask its operator to set TRUEUP_SMTP_URL. What you choose here is kept.</div>
        </div>
      )}
      {bounced && of.lastFailed && (
        <div className="note bad" role="alert">
          <div>
            The last mail could not be sent, <Time at={of.lastFailed} />: <Text>{of.lastError || 'the mail server did not take it.'}</Text> Check the address, then send a test.
          </div>
        </div>
      )}
    </>
  );
}

/** Sends a mail to where the saved address says, and when the last one was sent. */
export function Mails({ of, dirty }: { of: Settings; dirty?: boolean }) {
  const test = useMutation({ mutationFn: () => got(api.POST('/me/notifications/test')) });
  return (
    <div className="stack">
      <div className="row wrap">
        <Button onClick={() => test.mutate()} loading={test.isPending} disabled={!of.mail || dirty}>
          Send a test
        </Button>
        <span className="quiet" role="status">
          {test.data ? (
            <>
              Sent to <Text>{test.data.to}</Text>. Look for it there.
            </>
          ) : dirty && of.mail ? (
            'Save first: the test goes to the saved address.'
          ) : of.lastSent ? (
            <>
              Last mail <Time at={of.lastSent} />.
            </>
          ) : (
            'No mail was sent to you yet.'
          )}
        </span>
      </div>
      {test.error && <FaultNote error={test.error} />}
    </div>
  );
}
