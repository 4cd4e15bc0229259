import { Button, Drawer } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, got, match } from '../../api/client';
import { settingsQuery, useMe } from '../../api/session';
import { many } from '../../format';
import { FaultNote, Loaded } from '../../parts/fault';
import { Text } from '../../parts/show';
import { useClosing } from '../../parts/unsaved';
import { Blast } from './blast';
import { begins, billsOtherwise, type Draft, input, type Profile } from './data';
import { Ending } from './ending';
import { ProfileFields } from './fields';

/** A billing profile, new or as it is: what a change would change is shown before it is saved. */
export default function ProfileDrawer({ profile, onClose }: { profile: string; onClose: () => void }) {
  const settings = useQuery(settingsQuery);
  if (profile === 'new') return <Editor onClose={onClose} currency={settings.data?.settings.currency ?? ''} />;
  return <Existing id={Number(profile)} onClose={onClose} currency={settings.data?.settings.currency ?? ''} />;
}

function Existing({ id, onClose, currency }: { id: number; onClose: () => void; currency: string }) {
  const query = useQuery({
    queryKey: ['profile', id],
    queryFn: () => got(api.GET('/profiles/{profile}', { params: { path: { profile: id } } })),
    staleTime: 0,
    refetchOnWindowFocus: false, // what is being typed stays
  });
  if (query.data) return <Editor key={query.data.version} profile={query.data} onClose={onClose} currency={currency} />;
  return (
    <Drawer opened onClose={onClose} title="Billing profile">
      <Loaded query={query} what="The billing profile" rows={6}>
        {() => null}
      </Loaded>
    </Drawer>
  );
}

function Editor({ profile: p, onClose, currency }: { profile?: Profile; onClose: () => void; currency: string }) {
  const { may } = useMe();
  const queries = useQueryClient();
  const [changed, setChanged] = useState<Partial<Draft>>({});
  const [deleting, setDeleting] = useState(false);
  const begun = begins(p, currency);
  const draft: Draft = { ...begun, ...changed };
  const before = input(begun);
  const body = input(draft);
  const dirty = JSON.stringify(body ?? draft) !== JSON.stringify(before ?? begun);
  const id = p?.id ?? 0;
  const editable = may('billing');

  const effect = useMutation({ mutationFn: (b: NonNullable<typeof body>) => got(api.POST('/profiles/{profile}/preview', { params: { path: { profile: id } }, body: b })) });
  const save = useMutation({
    mutationFn: (b: NonNullable<typeof body>) =>
      p ? got(api.PUT('/profiles/{profile}', { params: { path: { profile: p.id }, header: match(p.version) }, body: b })) : got(api.POST('/profiles', { body: b })),
    onSuccess: async () => {
      onClose();
      await Promise.all(['profiles', 'profile', 'profile-proposals', 'licenses', 'setup'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
    },
  });
  const set = (change: Partial<Draft>) => {
    setChanged((was) => ({ ...was, ...change }));
    effect.reset();
    save.reset();
  };
  // A profile that nothing uses changes nothing, and a name is only ours.
  const spreads = Boolean(p && p.links > 0 && before && body && billsOtherwise(before, body));
  const asks = spreads && !effect.data;
  const { close, question } = useClosing(dirty && !save.isSuccess, onClose);
  const fault = save.error ?? effect.error;
  const errors = fault instanceof ApiError ? fault.fields : {};
  const moved = fault instanceof ApiError && fault.status === 412;

  return (
    <Drawer opened onClose={close} closeOnEscape={!deleting} title={p ? <Text>{p.name}</Text> : 'Add a billing profile'}>
      <form
        className="stack loose"
        onSubmit={(e) => {
          e.preventDefault();
          if (!body) return;
          if (asks) effect.mutate(body);
          else save.mutate(body);
        }}
      >
        {p?.retired && (
          <div className="note">
            <div>This profile is retired. Its links stay, and no new ones are made with it.</div>
          </div>
        )}
        <ProfileFields draft={draft} set={set} errors={errors} profile={p} disabled={!editable} />
        {spreads && effect.data && <Blast effect={effect.data} />}
        {fault && <FaultNote error={fault} onRetry={moved ? () => void queries.invalidateQueries({ queryKey: ['profile', id] }) : undefined} />}
        {p && editable && !dirty && <Ending profile={p} deleting={deleting} setDeleting={setDeleting} onDone={onClose} />}
        {!editable && <p className="quiet">You can look but not change billing profiles.</p>}
        {editable &&
          (question || (
            <div className="foot-bar">
              <Button type="submit" variant={asks ? 'default' : 'filled'} disabled={!body || !dirty} loading={effect.isPending || save.isPending}>
                {asks ? 'See what it changes' : p ? 'Save profile' : 'Add profile'}
              </Button>
              <Button onClick={close}>{dirty ? 'Cancel' : 'Close'}</Button>
              <span className="grow quiet small" role="status">
                {effect.isPending && p && `Planning ${many(p.links, 'link')} both ways. It can take half a minute.`}
              </span>
            </div>
          ))}
      </form>
    </Drawer>
  );
}
