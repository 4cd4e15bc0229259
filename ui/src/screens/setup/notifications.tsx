import { Button, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { useMe } from '../../api/session';
import { FaultNote, Loaded } from '../../parts/fault';
import { Time } from '../../parts/show';
import { type StepProps, useMoved } from './data';
import { Frame } from './frame';

type Settings = Schemas['NotificationSettings'];
type Kind = Schemas['NotificationKind'];
type How = Schemas['Frequency'];

const kinds: Record<Kind, string> = {
  holdsWaiting: 'Changes wait for an approval',
  syncFailed: 'A sync failed',
  connectionBroken: 'A connection is broken',
  credentialExpires: 'A secret, certificate or consent expires',
  unlinkedLicenses: 'Licenses are not linked',
  unassignedSeats: 'Seats are not assigned',
  tenantsNotAdded: 'Tenants are not added',
  tenantsGone: 'Tenants are gone',
  agreementChanged: 'An agreement ends or changed',
};
const hows: { value: How; label: string }[] = [
  { value: 'off', label: 'Never' },
  { value: 'atOnce', label: 'At once' },
  { value: 'daily', label: 'Daily' },
  { value: 'weekly', label: 'Weekly' },
  { value: 'monthly', label: 'Monthly' },
];

/** Step 2: what one is told. The usual set is filled in; the step can be skipped. */
export default function Notifications({ next }: StepProps) {
  const query = useQuery({ queryKey: ['notifications', 'settings'], queryFn: () => got(api.GET('/me/notifications')) });
  return (
    <Frame title="Notifications" why="Trueup mails you what needs a person, so that nobody has to look every day." side={query.data && <Mail settings={query.data} />}>
      <Loaded query={query} what="Your notifications" rows={6}>
        {(settings) => <Choices settings={settings} next={next} />}
      </Loaded>
    </Frame>
  );
}

function Choices({ settings, next }: { settings: Settings; next: () => void }) {
  const { user } = useMe();
  const queries = useQueryClient();
  const moved = useMoved();
  const [is, setIs] = useState(settings.settings);
  const save = useMutation({
    mutationFn: () => got(api.PUT('/me/notifications', { body: is })),
    onSuccess: async (saved) => {
      queries.setQueryData(['notifications', 'settings'], saved);
      await moved('notifications');
      next();
    },
  });
  const skip = useMutation({
    mutationFn: () => got(api.PUT('/setup/steps/{step}', { params: { path: { step: 'notifications' } }, body: { skipped: true } })),
    onSuccess: async () => {
      await moved();
      next();
    },
  });
  const set = (kind: Kind, how: How) => setIs({ ...is, choices: [...is.choices.filter((c) => c.kind !== kind), { kind, how }] });
  return (
    <form
      className="stack loose"
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate();
      }}
    >
      <div className="pair">
        <TextInput label="Address" type="email" placeholder={user?.email} value={is.email ?? ''} onChange={(e) => setIs({ ...is, email: e.currentTarget.value || undefined })} />
        <TextInput label="Daily mail at" type="time" required value={is.digestAt} onChange={(e) => setIs({ ...is, digestAt: e.currentTarget.value })} />
      </div>
      <table className="lines">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">How often</th>
          </tr>
        </thead>
        <tbody>
          {(Object.keys(kinds) as Kind[]).map((kind) => (
            <tr key={kind}>
              <td style={{ verticalAlign: 'middle' }}>{kinds[kind]}</td>
              <td style={{ width: 130 }}>
                <Select aria-label={`${kinds[kind]}: how often`} data={hows} value={is.choices.find((c) => c.kind === kind)?.how ?? 'off'} onChange={(v) => set(kind, v as How)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {(save.error ?? skip.error) && <FaultNote error={save.error ?? skip.error} />}
      <div className="row">
        <Button type="submit" variant="filled" loading={save.isPending}>
          Save and continue
        </Button>
        <Button onClick={() => skip.mutate()} loading={skip.isPending}>
          Skip for now
        </Button>
      </div>
    </form>
  );
}

/** Whether a mail arrives: the check of this step. */
function Mail({ settings }: { settings: Settings }) {
  const test = useMutation({ mutationFn: () => got(api.POST('/me/notifications/test')) });
  if (!settings.mail) {
    return (
      <div className="stack tight">
        <h3>No mail is sent yet</h3>
        <p className="small quiet">
          The operator of this Trueup has set no mail server. Choose what you want to be told: it counts from the day on which one is set. Until then, the overview says what needs you.
        </p>
      </div>
    );
  }
  return (
    <div className="stack">
      <h3>Does it arrive?</h3>
      <p className="small quiet">A test goes to the address that is saved.</p>
      <div>
        <Button onClick={() => test.mutate()} loading={test.isPending}>
          Send a test
        </Button>
      </div>
      {test.data && (
        <p role="status">
          Sent to <bdi>{test.data.to}</bdi>. Look for it there.
        </p>
      )}
      {test.error && <FaultNote error={test.error} />}
      {settings.lastError && settings.lastFailed && (
        <p className="small quiet">
          The last one failed <Time at={settings.lastFailed} />: {settings.lastError}
        </p>
      )}
    </div>
  );
}
