import './users.css';
import { Button, Drawer, Modal, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { useZone } from '../../api/session';
import { day, dayOf } from '../../format';
import { FaultNote, Loaded, State } from '../../parts/fault';
import { Note, Once } from '../../parts/once';
import { roleChoice, roleDoes, roleNames } from '../../parts/roles';
import { Status, Text, Time } from '../../parts/show';
import { daysAfter, fieldsOf, tokensQuery } from './data';

type Token = Schemas['ApiToken'];

/** The tokens with which programs ask, each with a role and a last day. */
export function Tokens() {
  const zone = useZone();
  const today = dayOf(new Date(), zone);
  const tokens = useQuery(tokensQuery);
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<Token>();
  const make = <Button onClick={() => setMaking(true)}>New token…</Button>;
  return (
    <div className="inner stack">
      <Loaded query={tokens} what="The tokens" rows={4}>
        {(data) =>
          data.items.length === 0 ? (
            <State title="No program has a token" action={make}>
              With one, a program asks what you see here. The operations are <a href="/api/docs">documented</a>.
            </State>
          ) : (
            <>
              <div className="between">
                <p className="quiet">
                  A program sends it as <code>Authorization: Bearer …</code> The operations are <a href="/api/docs">documented</a>.
                </p>
                {make}
              </div>
              <ul className="entries">
                {data.items.map((t) => (
                  <li key={t.id}>
                    <div>
                      <b>
                        <Text>{t.name}</Text>
                      </b>{' '}
                      <span className="quiet">…{t.endsIn}</span>
                      <div className="small quiet">
                        {roleNames[t.role]}, made by <Text>{t.by}</Text> <Time at={t.at} />, {t.lastUsed ? <>used <Time at={t.lastUsed} /></> : 'never used'}
                      </div>
                    </div>
                    <Status tone={t.ends < today ? 'none' : t.ends < daysAfter(today, 14) ? 'warn' : 'ok'}>
                      {t.ends < today ? 'Ended' : 'Through'} {day(t.ends)}
                    </Status>
                    <Button onClick={() => setEnding(t)}>
                      {t.ends < today ? 'Remove' : 'End'}
                      <span className="unseen"> {t.name}</span>
                    </Button>
                  </li>
                ))}
              </ul>
            </>
          )
        }
      </Loaded>
      {making && <New today={today} onClose={() => setMaking(false)} />}
      {ending && <End of={ending} onClose={() => setEnding(undefined)} />}
    </div>
  );
}

/** How long a token is good where nobody says otherwise, and at most; days. */
const usual = 90;
const most = 730;

function New({ today, onClose }: { today: string; onClose: () => void }) {
  const queries = useQueryClient();
  const form = useForm<Schemas['ApiTokenInput']>({ initialValues: { name: '', role: 'viewer', ends: daysAfter(today, usual) } });
  const make = useMutation({
    mutationFn: (body: Schemas['ApiTokenInput']) => got(api.POST('/tokens', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensQuery.queryKey }),
    onError: (e) => form.setErrors(fieldsOf(e)),
    gcTime: 0, // the secret is not to be found again
  });
  return (
    <Drawer opened onClose={onClose} title={make.data ? 'The token was made' : 'New token'} size={440} closeOnClickOutside={!make.data} closeOnEscape={!make.data}>
      {make.data ? (
        <div className="stack loose">
          <Note tone="warn">Copy it now. It is not shown again.</Note>
          <Once what="The token">{make.data.secret}</Once>
          <p className="quiet">
            It may what a {roleNames[make.data.token.role].toLowerCase()} may, through {day(make.data.token.ends)}, and never more than you may.
          </p>
          <div>
            <Button variant="filled" onClick={onClose}>
              I have it
            </Button>
          </div>
        </div>
      ) : (
        <form className="stack loose" onSubmit={form.onSubmit((v) => make.mutate(v))}>
          <TextInput label="Name" description="What it is for" placeholder="Such as Report to the warehouse" required maxLength={200} data-autofocus {...form.getInputProps('name')} />
          <Select label="Role" description={roleDoes(form.values.role)} data={roleChoice} {...form.getInputProps('role')} />
          <TextInput label="Last day" type="date" required min={today} max={daysAfter(today, most)} {...form.getInputProps('ends')} />
          {make.error && <FaultNote error={make.error} />}
          <div>
            <Button type="submit" variant="filled" loading={make.isPending}>
              Make the token
            </Button>
          </div>
        </form>
      )}
    </Drawer>
  );
}

function End({ of: t, onClose }: { of: Token; onClose: () => void }) {
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: () => got(api.DELETE('/tokens/{token}', { params: { path: { token: t.id } } })),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
    },
  });
  return (
    <Modal opened onClose={onClose} title="End this token?">
      <div className="stack">
        <p>
          Programs that use{' '}
          <b>
            <Text>{t.name}</Text>
          </b>{' '}
          are refused from now on. It can't be taken back.
        </p>
        {end.error && <FaultNote error={end.error} />}
        <div className="row end">
          <Button onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button variant="filled" loading={end.isPending} onClick={() => end.mutate()}>
            End the token
          </Button>
        </div>
      </div>
    </Modal>
  );
}
