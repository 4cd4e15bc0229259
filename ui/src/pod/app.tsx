import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { Licenses } from './licenses';
import type { Session, View } from './model';
import type { Pod, SignIn, State } from './pod';
import { Button, FaultNote, Outward, Reference, Text, useDo } from './show';

/** The pod: what the state says, and nothing else. */
export function App({ pod }: { pod: Pod }) {
  const state = useSyncExternalStore(pod.subscribe, pod.now);
  switch (state.at) {
    case 'loading':
      return <Loading />;
    case 'view':
      if (state.view.state === 'ready') return <Licenses key={`${state.view.record.screen}${state.view.record.id}`} pod={pod} view={state.view} />;
      return state.view.state === 'notSetUp' ? <NotSetUp left={state.view.setupLeft} view={state.view} /> : <NotAdded view={state.view} />;
    case 'outside':
      return (
        <Blank title="Open this from an agreement or company in ConnectWise" action={<Dashboard />}>
          Here is neither, so there is nothing to show.
        </Blank>
      );
    case 'unvouched':
      return <Unvouched pod={pod} state={state} />;
    case 'noAccess':
      return <NoAccess pod={pod} session={state.session} />;
    case 'over':
      return <Blank title="ConnectWise signed you out">Reload the page.</Blank>;
    case 'fault':
      return <Refused pod={pod} state={state} />;
  }
}

/** A screen that has nothing to show: what is so, why, and the next step. */
function Blank({ title, children, action, alert }: { title: string; children?: ReactNode; action?: ReactNode; alert?: boolean }) {
  return (
    <main className="blank">
      <h1>{title}</h1>
      <div className="quiet" role={alert ? 'alert' : undefined}>
        {children}
      </div>
      {action && <div className="row">{action}</div>}
    </main>
  );
}

const Dashboard = ({ to = '/', children = 'Open the dashboard' }: { to?: string; children?: string }) => (
  <Outward to={to} className="button">
    {children}
  </Outward>
);

function Loading() {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 8000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="pod" role="status" aria-label="Loading">
      <div className="head">
        <i className="bone w3" />
        <i className="bone w4" />
      </div>
      <div className="tabs">
        <i className="bone w5" />
      </div>
      {slow && <p className="quiet slow">Still loading. ConnectWise is slow to answer.</p>}
      <div className="bones">
        {[9, 8, 9, 7, 8, 6].map((w, i) => (
          <i key={i} className={`bone w${w}`} />
        ))}
      </div>
    </div>
  );
}

const listed = (names: string[]) => new Intl.ListFormat('en', { type: 'disjunction' }).format(names);

/** ConnectWise does not say who looks: the own sign-in in a window, where the workspace allows it. */
function Unvouched({ pod, state }: { pod: Pod; state: State & { at: 'unvouched' } }) {
  const [way, setWay] = useState<SignIn>();
  const [step, setStep] = useState<'ready' | 'open' | 'blocked'>('ready');
  const allowed = state.fallback;
  useEffect(() => {
    if (allowed) pod.prepare().then(setWay, () => setStep('blocked'));
  }, [pod, allowed]);
  const again = <Button onClick={() => pod.shown && void pod.open(pod.shown)}>Try again</Button>;
  const open = () => {
    if (!way) return;
    const opened = pod.signIn(way, () => {
      setStep('ready');
      pod.prepare().then(setWay, () => setStep('blocked')); // what the window may have used is not used again
    });
    setStep(opened ? 'open' : 'blocked');
  };
  return (
    <Blank
      title="ConnectWise does not say who you are"
      action={
        allowed && step !== 'blocked' ? (
          <>
            <Button onClick={open} disabled={!way || step === 'open'}>
              {step === 'open' ? 'Sign in in the window…' : 'Sign in to Trueup'}
            </Button>
            {again}
          </>
        ) : (
          <>
            <Dashboard />
            {again}
          </>
        )
      }
    >
      {state.fault ? (
        <>
          {state.fault.detail} {!allowed && state.fault.action}
          <Reference fault={state.fault} />
        </>
      ) : (
        'It did not answer.'
      )}{' '}
      {step === 'blocked' ? 'No window could be opened here.' : allowed ? 'You can sign in yourself, in a window of its own.' : 'Your workspace does not let you sign in here yourself.'}
    </Blank>
  );
}

function NoAccess({ pod, session }: { pod: Pod; session: Session }) {
  const { busy, fault, run } = useDo();
  const [asked, setAsked] = useState(false);
  const names = listed(session.administrators);
  return (
    <Blank
      title="You don’t have access to license billing"
      action={
        <Button
          disabled={busy || asked}
          onClick={() =>
            void run(async () => {
              await pod.ask('POST', '/embed/access');
              setAsked(true);
            })
          }
        >
          {asked ? 'Asked' : 'Ask for access'}
        </Button>
      }
    >
      <Text>{session.name}</Text> is not known here. {names ? `${names} can give you access.` : 'An administrator can give you access.'}
      {asked && <p role="status">They see that you asked.</p>}
      <FaultNote fault={fault} />
    </Blank>
  );
}

const titles: Record<string, string> = {
  record_refused: 'ConnectWise does not show you this record',
  manage_not_connected: 'Trueup is not set up',
  not_found: 'This screen is not known here',
  too_many: 'That was too often',
};

function Refused({ pod, state: { fault } }: { pod: Pod; state: State & { at: 'fault' } }) {
  const setUp = fault.code === 'manage_not_connected';
  return (
    <Blank
      alert
      title={titles[fault.code] ?? 'Licenses could not be loaded'}
      action={setUp ? <Dashboard>Open set-up</Dashboard> : <Button onClick={() => pod.shown && void pod.open(pod.shown)}>Try again</Button>}
    >
      {fault.detail} {fault.action}
      <Reference fault={fault} />
    </Blank>
  );
}

function NotSetUp({ left, view }: { left?: number; view: View }) {
  const names = listed(view.administrators);
  return (
    <Blank title="Trueup is not set up" action={view.rights.setUp && <Dashboard>Open set-up</Dashboard>}>
      {view.rights.setUp
        ? `${left ? `There ${left === 1 ? 'is 1 step' : `are ${left} steps`} to go.` : 'A few steps are left.'}`
        : names
          ? `${names} can set it up.`
          : 'An administrator can set it up.'}
    </Blank>
  );
}

function NotAdded({ view }: { view: View }) {
  const names = listed(view.administrators);
  return (
    <Blank
      title="This company is not connected yet"
      action={view.rights.setUp && <Dashboard to={`/customers?company=${view.record.company.id}`}>Finish set-up</Dashboard>}
    >
      <Text>{view.record.company.name}</Text> has no Microsoft tenant linked, so its licenses cannot be read.
      <ol className="checks">
        <li className="done">ConnectWise connected ✓</li>
        <li>Link a Microsoft tenant</li>
        <li>Link its licenses to billing profiles</li>
      </ol>
      {!view.rights.setUp && names && `${names} can do that.`}
    </Blank>
  );
}
