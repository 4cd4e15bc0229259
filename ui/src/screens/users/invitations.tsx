import './users.css';
import { Button, Modal } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got } from '../../api/client';
import { FaultNote, Loaded, State } from '../../parts/fault';
import { roleNames } from '../../parts/roles';
import { Text, Time } from '../../parts/show';
import { type Invitation, invitationsQuery } from './data';
import { Handed, Invite } from './invite';

/** The invitations that nobody has taken yet. */
export function Invitations() {
  const queries = useQueryClient();
  const invitations = useQuery(invitationsQuery);
  const [inviting, setInviting] = useState(false);
  const again = () => queries.invalidateQueries({ queryKey: invitationsQuery.queryKey });
  const send = useMutation({
    mutationFn: (i: Invitation) => got(api.POST('/invitations/{invitation}/send', { params: { path: { invitation: i.id } } })),
    onSettled: again,
  });
  const back = useMutation({
    mutationFn: (i: Invitation) => got(api.DELETE('/invitations/{invitation}', { params: { path: { invitation: i.id } } })),
    onSettled: again,
  });
  const invite = <Button onClick={() => setInviting(true)}>Invite…</Button>;
  return (
    <div className="inner stack">
      <Loaded query={invitations} what="The invitations">
        {(data) =>
          data.items.length === 0 ? (
            <State title="No invitation is open" action={invite}>
              Who accepts one is among the users.
            </State>
          ) : (
            <>
              <div className="row end">{invite}</div>
              <ul className="entries">
                {data.items.map((i) => (
                  <li key={i.id}>
                    <div>
                      <b>
                        <Text>{i.email}</Text>
                      </b>
                      <div className="small quiet">
                        {roleNames[i.role]}, invited by <Text>{i.by}</Text> <Time at={i.at} />, ends <Time at={i.ends} full />
                      </div>
                    </div>
                    <div className="row">
                      <Button onClick={() => send.mutate(i)} loading={send.isPending && send.variables.id === i.id}>
                        Send again<span className="unseen"> to {i.email}</span>
                      </Button>
                      <Button onClick={() => back.mutate(i)} loading={back.isPending && back.variables.id === i.id}>
                        Take back<span className="unseen"> the invitation of {i.email}</span>
                      </Button>
                    </div>
                  </li>
                ))}
              </ul>
            </>
          )
        }
      </Loaded>
      {(send.error ?? back.error) && <FaultNote error={send.error ?? back.error} />}
      {send.data && (
        <Modal opened onClose={() => send.reset()} title="A new link was made">
          <Handed link={send.data.link} to={send.data.invitation.email} />
        </Modal>
      )}
      {inviting && <Invite onClose={() => setInviting(false)} />}
    </div>
  );
}
