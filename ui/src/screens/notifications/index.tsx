import './notifications.css';
import { useQuery } from '@tanstack/react-query';
import { ApiError } from '../../api/client';
import { FaultNote, Loaded, Section, State } from '../../parts/fault';
import { SaveBar } from '../../parts/unsaved';
import { notificationsQuery, type Settings } from './data';
import { Mails, MailState, useWanted } from './form';
import { Mutes } from './mutes';
import { NotificationFields, NotificationTable } from './table';
import { Told } from './told';

/** What the user is told, how often and where; what nobody is told for a while; what was told. */
export default function NotificationsScreen() {
  const mine = useQuery(notificationsQuery);
  if (mine.error instanceof ApiError && mine.error.status === 404) {
    return (
      <State title="Notifications are for users of Trueup" screen>
        You are signed in as a member of ConnectWise, and have no address here. An administrator can invite you.
      </State>
    );
  }
  return (
    <Loaded query={mine} what="Your notifications" rows={10}>
      {(of) => <Preferences of={of} />}
    </Loaded>
  );
}

function Preferences({ of }: { of: Settings }) {
  const { wanted, dirty, save, errors, set, discard } = useWanted(of);
  const silent = wanted.choices.every((c) => c.how === 'off');
  return (
    <div className="keeps">
      <div className="page notifications stack loose">
        <header className="page-head">
          <h1>Notifications</h1>
          <span role="status">{save.isSuccess && !dirty && 'Saved.'}</span>
        </header>
        <p className="quiet">What you are told by mail, each thing once. Only you get these; the others choose their own.</p>
        <MailState of={of} />
        <form
          id="preferences"
          className="stack loose"
          onSubmit={(e) => {
            e.preventDefault();
            if (dirty) save.mutate();
          }}
        >
          <NotificationTable value={wanted} onChange={set} disabled={save.isPending} />
          {silent && <p className="quiet">Everything is off: you are told nothing.</p>}
          <NotificationFields value={wanted} onChange={set} disabled={save.isPending} errors={errors} />
          {save.error && <FaultNote error={save.error} />}
        </form>
        <Mails of={of} dirty={dirty} />
        <Section what="The mutes">
          <Mutes />
        </Section>
        <Section what="What there is to tell">
          <Told />
        </Section>
      </div>
      <SaveBar dirty={dirty} saving={save.isPending} form="preferences" onDiscard={discard} />
    </div>
  );
}
