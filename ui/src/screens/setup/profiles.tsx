import { Button, Drawer, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError, api, got, type Schemas } from '../../api/client';
import { settingsQuery } from '../../api/session';
import { many, money } from '../../format';
import { FaultNote, Loaded } from '../../parts/fault';
import { Text } from '../../parts/show';
import { hasScreen } from '../../screens';
import { profilesQuery } from '../links/data';
import { TypesSelect } from '../profiles/choose';
import { begins, type Draft, input, type Proposal, proposalsQuery, ready, typesQuery } from '../profiles/data';
import { ProfileFields } from '../profiles/fields';
import { type StepProps, useMoved } from './data';
import { Frame } from './frame';

/** Step 3: what licenses are billed as. What stands on agreements already is proposed, and made in one go. */
export default function Profiles({ next }: StepProps) {
  const profiles = useQuery(profilesQuery);
  const proposals = useQuery(proposalsQuery);
  const [byHand, setByHand] = useState(false);
  const made = profiles.data?.items.filter((p) => !p.retired) ?? [];
  return (
    <Frame
      title="Billing profiles"
      why="A profile says which ConnectWise product a license is billed as, and on which types of agreement."
      side={<Made profiles={made} />}
    >
      <Loaded query={proposals} what="The suggestions" rows={6}>
        {(all) => <Proposals all={all.items.filter((p) => p.product && !p.exists?.id)} made={made.length} next={next} onByHand={() => setByHand(true)} />}
      </Loaded>
      {proposals.error && (
        <div className="row">
          <Button onClick={() => setByHand(true)}>Add one by hand</Button>
          {made.length > 0 && (
            <Button variant="filled" onClick={next}>
              Continue
            </Button>
          )}
        </div>
      )}
      {byHand && <ByHand onClose={() => setByHand(false)} />}
    </Frame>
  );
}

function Made({ profiles }: { profiles: Schemas['Profile'][] }) {
  if (profiles.length === 0) {
    return <p className="small quiet">Profiles that you make are listed here. They can be changed at any time; what was invoiced stays as it is.</p>;
  }
  return (
    <div className="stack tight">
      <h3>{many(profiles.length, 'profile')} so far</h3>
      <table className="lines small">
        <tbody>
          {profiles.slice(0, 30).map((p) => (
            <tr key={p.id}>
              <td>
                <Text>{p.name}</Text>
                <div className="quiet">
                  <Text>{p.agreementTypes.map((t) => t.name).join(', ')}</Text>
                </div>
              </td>
              <td className="num">{money(p.price ?? p.productPrice ?? '0', p.currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {hasScreen('/profiles') && <Link to="/profiles">All billing profiles</Link>}
    </div>
  );
}

const key = (p: Proposal) => `${p.sku} ${p.term ?? ''} ${p.product?.id ?? 0}`;

/** The type that most agreements have: for products that stand on none yet. */
function useUsual(): number[] {
  const types = useQuery(typesQuery).data?.items.filter((t) => !t.inactive && t.agreements > 0) ?? [];
  const most = types.toSorted((a, b) => b.agreements - a.agreements)[0];
  return most ? [most.id] : [];
}

function Proposals({ all, made, next, onByHand }: { all: Proposal[]; made: number; next: () => void; onByHand: () => void }) {
  const moved = useMoved();
  const currency = useQuery(settingsQuery).data?.settings.currency ?? '';
  const usual = useUsual();
  const [chosen, setChosen] = useState(() => new Set(all.filter((p) => ready(p) && all.find((k) => k.name === p.name) === p).map(key)));
  const [names, setNames] = useState<Record<string, string>>({});
  const [types, setTypes] = useState<number[]>();
  const picked = all.filter((p) => chosen.has(key(p)));
  const typeless = picked.some((p) => p.agreementTypes.length === 0);
  const shared = types ?? usual;
  const make = useMutation({
    mutationFn: () =>
      got(
        api.POST('/profiles/bulk', {
          body: {
            items: picked.slice(0, 200).map((p) => ({
              name: (names[key(p)] ?? p.name).trim(),
              agreementTypes: p.agreementTypes.length > 0 ? p.agreementTypes.map((t) => t.id) : shared,
              product: p.product?.id ?? 0,
              bill: 'billable' as const,
            })),
          },
        }),
      ),
    onSuccess: async (r) => {
      setChosen(new Set(r.results.flatMap((one) => (one.ok ? [] : [picked[one.index]].flatMap((p) => (p ? [key(p)] : []))))));
      await moved('profiles', 'profile-proposals');
      if (r.failed === 0) next();
    },
  });
  const toggle = (p: Proposal) => {
    const to = new Set(chosen);
    if (!to.delete(key(p))) to.add(key(p));
    setChosen(to);
  };
  const onAgreements = all.filter((p) => p.additions > 0).length;
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        if (picked.length > 0) make.mutate();
        else next();
      }}
    >
      {all.length === 0 ? (
        <p>{made > 0 ? 'There is no other product that looks like a Microsoft license.' : 'No product of your catalog looks like a Microsoft license. Add profiles by hand.'}</p>
      ) : (
        <>
          <p>
            {onAgreements > 0
              ? `${many(onAgreements, 'product')} on active agreements ${onAgreements === 1 ? 'looks' : 'look'} like Microsoft licenses.`
              : `${many(all.length, 'product')} of your catalog ${all.length === 1 ? 'looks' : 'look'} like Microsoft licenses.`}
          </p>
          <div className="scrolls">
            <table className="lines">
              <thead>
                <tr>
                  <th scope="col">
                    <span className="unseen">Make it</span>
                  </th>
                  <th scope="col">Name</th>
                  <th scope="col">Product</th>
                  <th scope="col" className="num">
                    Price
                  </th>
                </tr>
              </thead>
              <tbody>
                {all.slice(0, 200).map((p) => (
                  <tr key={key(p)}>
                    <td className="tick">
                      <label>
                        <span className="unseen">Make {p.name}</span>
                        <input type="checkbox" checked={chosen.has(key(p))} onChange={() => toggle(p)} />
                      </label>
                    </td>
                    <td>
                      <TextInput aria-label={`Name of the profile for ${p.name}`} maxLength={200} required={chosen.has(key(p))} value={names[key(p)] ?? p.name} onChange={(e) => setNames({ ...names, [key(p)]: e.currentTarget.value })} />
                    </td>
                    <td>
                      <Text>{p.product?.identifier}</Text>
                      <div className="small quiet">
                        {p.agreementTypes.length > 0 ? <Text>{p.agreementTypes.map((t) => t.name).join(', ')}</Text> : 'On no agreement yet'}
                        {p.additions > 0 && `, ${many(p.additions, 'line')}`}
                        {p.customers > 0 && `, ${many(p.customers, 'customer')}`}
                      </div>
                    </td>
                    <td className="num">{money(p.product?.price ?? '0', currency)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {typeless && <TypesSelect label="Agreement types for products that are on none yet" value={shared} onChange={setTypes} />}
        </>
      )}
      {make.error && <FaultNote error={make.error} />}
      {make.data && make.data.failed > 0 && (
        <div className="note warn" role="status">
          <div>
            {make.data.done} made, {make.data.failed} not:
            {make.data.results
              .filter((r) => !r.ok)
              .map((r) => (
                <div key={r.index}>
                  {r.faults?.map((f) => f.text).join(' ') || r.text} {r.action}
                </div>
              ))}
          </div>
        </div>
      )}
      <div className="row wrap">
        <Button type="submit" variant="filled" loading={make.isPending} disabled={(picked.length === 0 && made === 0) || (typeless && shared.length === 0)}>
          {picked.length > 0 ? `Make ${many(Math.min(picked.length, 200), 'profile')} and continue` : 'Continue'}
        </Button>
        <Button onClick={onByHand}>Add one by hand</Button>
      </div>
    </form>
  );
}

function ByHand({ onClose }: { onClose: () => void }) {
  const moved = useMoved();
  const queries = useQueryClient();
  const currency = queries.getQueryData(settingsQuery.queryKey)?.settings.currency ?? '';
  const [draft, setDraft] = useState<Draft>(begins(undefined, currency));
  const body = input(draft);
  const add = useMutation({
    mutationFn: (profile: Schemas['ProfileInput']) => got(api.POST('/profiles', { body: profile })),
    onSuccess: async () => {
      await moved('profiles', 'profile-proposals');
      onClose();
    },
  });
  return (
    <Drawer opened onClose={onClose} title="Add a billing profile">
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          if (body) add.mutate(body);
        }}
      >
        <ProfileFields draft={draft} set={(change) => setDraft({ ...draft, ...change })} errors={add.error instanceof ApiError ? add.error.fields : {}} disabled={add.isPending} />
        {add.error && <FaultNote error={add.error} />}
        <div className="row">
          <Button type="submit" variant="filled" disabled={!body} loading={add.isPending}>
            Add profile
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Drawer>
  );
}
