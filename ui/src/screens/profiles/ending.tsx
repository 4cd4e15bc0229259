import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, got } from '../../api/client';
import { many } from '../../format';
import { FaultNote } from '../../parts/fault';
import { Text } from '../../parts/show';
import { profilesQuery } from '../links/data';
import { Blast } from './blast';
import { begins, input, type Profile, type ProfileInput } from './data';

interface Props {
  profile: Profile;
  deleting: boolean;
  setDeleting: (deleting: boolean) => void;
  onDone: () => void;
}

/** The end of a profile: its links go to another, then it is retired or deleted. */
export function Ending({ profile: p, deleting, setDeleting, onDone }: Props) {
  const queries = useQueryClient();
  const after = () => Promise.all(['profiles', 'profile', 'licenses', 'overview'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
  const path = { profile: p.id };
  const retire = useMutation({
    mutationFn: () => got(p.retired ? api.POST('/profiles/{profile}/restore', { params: { path } }) : api.POST('/profiles/{profile}/retire', { params: { path } })),
    onSuccess: after,
  });
  const remove = useMutation({
    mutationFn: () => got(api.DELETE('/profiles/{profile}', { params: { path } })),
    onSuccess: async () => {
      onDone();
      queries.removeQueries({ queryKey: ['profile', p.id] });
      await queries.invalidateQueries({ queryKey: ['profiles'] });
    },
  });
  return (
    <section className="stack" aria-labelledby="ending">
      <h2 id="ending">{p.links > 0 ? 'Replace or retire it' : 'Retire or delete it'}</h2>
      {p.links > 0 && <Move profile={p} onMoved={after} />}
      <div className="row wrap">
        <Button onClick={() => retire.mutate()} loading={retire.isPending}>
          {p.retired ? 'Take it back' : 'Retire it'}
        </Button>
        <Button onClick={() => setDeleting(true)} disabled={p.links > 0} title={p.links > 0 ? `${many(p.links, 'link uses', 'links use')} it` : undefined}>
          Delete…
        </Button>
        <span className="small quiet">{p.links > 0 ? `It can't be deleted while ${many(p.links, 'link uses', 'links use')} it.` : 'A retired profile keeps what it billed, and takes no new links.'}</span>
      </div>
      {retire.error && <FaultNote error={retire.error} />}
      {deleting && (
        <Delete
          profile={p}
          error={remove.error}
          busy={remove.isPending}
          onDelete={() => remove.mutate()}
          onClose={() => {
            setDeleting(false);
            remove.reset();
          }}
        />
      )}
    </section>
  );
}

function Move({ profile: p, onMoved }: { profile: Profile; onMoved: () => Promise<unknown> }) {
  const profiles = useQuery(profilesQuery);
  const [to, setTo] = useState<number>();
  const others = (profiles.data?.items ?? []).filter((k) => k.id !== p.id && !k.retired);
  const target = others.find((k) => k.id === to);
  // What it would change is what this profile would, were it as the other one is.
  const effect = useMutation({
    mutationFn: (k: Profile) => got(api.POST('/profiles/{profile}/preview', { params: { path: { profile: p.id } }, body: input(begins(k, '')) as ProfileInput })),
  });
  const move = useMutation({
    mutationFn: (k: Profile) => got(api.POST('/profiles/{profile}/move', { params: { path: { profile: p.id } }, body: { to: k.id } })),
    onSuccess: onMoved,
  });
  return (
    <>
      <div className="row wrap" style={{ alignItems: 'flex-end' }}>
        <Select
          label={`${many(p.links, 'link uses', 'links use')} it. Move them to`}
          placeholder={others.length ? 'Choose a profile' : 'There is no other profile'}
          searchable
          data={others.map((k) => ({ value: String(k.id), label: k.name }))}
          value={to ? String(to) : null}
          onChange={(v) => {
            setTo(Number(v));
            effect.reset();
            move.reset();
          }}
          w={300}
        />
        <Button disabled={!target} loading={effect.isPending || move.isPending} onClick={() => target && (effect.data ? move.mutate(target) : effect.mutate(target))}>
          {effect.data ? `Move ${many(p.links, 'link')}` : 'See what it changes'}
        </Button>
      </div>
      {effect.data && <Blast effect={effect.data} />}
      <p className="small quiet">The lines of the old product end, and lines of the new one begin, as the rules say.</p>
      <div>
        <Link to="/links" search={{ profile: String(p.id) } as never}>
          See its links
        </Link>
      </div>
      {(move.error ?? effect.error) && <FaultNote error={move.error ?? effect.error} />}
    </>
  );
}

function Delete({ profile: p, error, busy, onDelete, onClose }: { profile: Profile; error: unknown; busy: boolean; onDelete: () => void; onClose: () => void }) {
  const [typed, setTyped] = useState('');
  return (
    <Modal.Root opened onClose={onClose}>
      <Modal.Overlay />
      <Modal.Content>
        {/* Without a header, since the drawer below has one; and not a form: as React sees it, it stands inside the one of the profile. */}
        <Modal.Body className="stack">
          <Modal.Title>Delete this billing profile?</Modal.Title>
          <p>
            Type <b><Text>{p.name}</Text></b> to delete it.
          </p>
          <TextInput
            aria-label="Name of the profile"
            value={typed}
            onChange={(e) => setTyped(e.currentTarget.value)}
            onKeyDown={(e) => {
              if (e.key !== 'Enter') return;
              e.preventDefault();
              if (typed === p.name) onDelete();
            }}
            data-autofocus
          />
          {Boolean(error) && <FaultNote error={error} />}
          <div className="row end">
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="filled" disabled={typed !== p.name} loading={busy} onClick={onDelete}>
              Delete
            </Button>
          </div>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
