import { Button, Drawer, Radio, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { useMe } from '../../api/session';
import { many, monthly } from '../../format';
import { FaultNote, Loaded, State } from '../../parts/fault';
import { Text } from '../../parts/show';
import { profilesQuery } from './data';

/** What the licenses of a SKU are, for all customers now and later. */
export default function Rules({ onClose }: { onClose: () => void }) {
  const { may } = useMe();
  const queries = useQueryClient();
  const rules = useQuery({ queryKey: ['rules'], queryFn: () => got(api.GET('/rules')) });
  const remove = useMutation({
    mutationFn: (rule: string) => got(api.DELETE('/rules/{rule}', { params: { path: { rule } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ['rules'] }),
  });
  return (
    <Drawer opened onClose={onClose} title="Rules for all customers">
      <div className="stack loose">
        <p className="quiet">A rule links a license wherever it is not linked yet, now and later. Links that were made stay when a rule is removed.</p>
        {may('billing') && <New />}
        {remove.error && <FaultNote error={remove.error} />}
        <Loaded query={rules} what="The rules" rows={4}>
          {(data) =>
            data.items.length === 0 ? (
              <State title="No rules yet" />
            ) : (
              <table className="lines">
                <thead>
                  <tr>
                    <th scope="col">License</th>
                    <th scope="col">Is</th>
                    <th scope="col" className="num">
                      Covers
                    </th>
                    <th scope="col">
                      <span className="unseen">Remove</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {data.items.map((r) => (
                    <tr key={r.license}>
                      <td>
                        <Text>{r.name ?? r.license}</Text>
                        {r.name && <div className="small quiet">{r.license}</div>}
                      </td>
                      <td>
                        <Text>{r.profile?.name ?? `Not billed: ${r.doNotBill}`}</Text>
                      </td>
                      <td className="num">{r.licenses}</td>
                      <td className="num">
                        {may('billing') && (
                          <button type="button" className="linklike" onClick={() => remove.mutate(r.license)}>
                            Remove<span className="unseen"> the rule for {r.license}</span>
                          </button>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )
          }
        </Loaded>
      </div>
    </Drawer>
  );
}

function New() {
  const queries = useQueryClient();
  const profiles = useQuery(profilesQuery);
  const [sku, setSku] = useState('');
  const [kind, setKind] = useState('profile');
  const [profile, setProfile] = useState<number>();
  const [reason, setReason] = useState('');
  const body: Schemas['RuleInput'] | undefined = kind === 'profile' ? (profile ? { profile } : undefined) : reason.trim() ? { doNotBill: reason.trim() } : undefined;
  const params = { path: { rule: sku.trim() } };
  const effect = useMutation({ mutationFn: () => got(api.POST('/rules/{rule}/preview', { params, body: body ?? {} })) });
  const save = useMutation({
    mutationFn: () => got(api.PUT('/rules/{rule}', { params, body: body ?? {} })),
    onSuccess: async () => {
      setSku('');
      effect.reset();
      await Promise.all([queries.invalidateQueries({ queryKey: ['rules'] }), queries.invalidateQueries({ queryKey: ['licenses'] })]);
    },
  });
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        if (effect.data) save.mutate();
        else effect.mutate();
      }}
    >
      <TextInput label="License" description="Its part number, such as SPB, or SKU id" required pattern="[A-Za-z0-9_ .()&+\-]{1,100}" value={sku} onChange={(e) => (setSku(e.currentTarget.value), effect.reset())} />
      <Radio.Group aria-label="What it is" value={kind} onChange={(v) => (setKind(v), effect.reset())}>
        <div className="row" style={{ gap: 20 }}>
          <Radio value="profile" label="Bill it" />
          <Radio value="not" label="Do not bill" />
        </div>
      </Radio.Group>
      {kind === 'profile' ? (
        <Select
          label="Billing profile"
          placeholder="Choose one"
          searchable
          data={(profiles.data?.items ?? []).filter((p) => !p.retired).map((p) => ({ value: String(p.id), label: p.name }))}
          value={profile ? String(profile) : null}
          onChange={(v) => (setProfile(Number(v)), effect.reset())}
        />
      ) : (
        <TextInput label="Reason" required maxLength={1000} value={reason} onChange={(e) => (setReason(e.currentTarget.value), effect.reset())} />
      )}
      {effect.data && (
        <div className="note info" role="status">
          <div>
            Changes {many(effect.data.links, 'link')} of {many(effect.data.customers, 'customer')}: <b>{monthly(effect.data.money)}</b> per month at the next sync.
            {effect.data.unreadable > 0 && ` ${many(effect.data.unreadable, 'customer')} could not be read.`}
          </div>
        </div>
      )}
      {(effect.error ?? save.error) && <FaultNote error={effect.error ?? save.error} />}
      <div>
        <Button type="submit" variant={effect.data ? 'filled' : 'default'} disabled={!sku.trim() || !body} loading={effect.isPending || save.isPending}>
          {effect.data ? 'Save rule' : 'Preview'}
        </Button>
      </div>
    </form>
  );
}
