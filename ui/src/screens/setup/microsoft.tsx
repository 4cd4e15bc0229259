import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { FaultNote, Loaded } from '../../parts/fault';
import { Copy } from '../../parts/checks';
import { Status, Text, Time } from '../../parts/show';
import { openTab, useConsent, type Waiting } from '../connections/consent';
import { type Connection, connectionsQuery, kindWords, redirectAddress, wantsSignIn } from '../connections/data';
import { Found, Secrets } from '../connections/evidence';
import { MicrosoftForm } from '../connections/microsoftform';
import { refusal } from '../connections/refusal';
import { type StepProps, useMoved } from './data';
import { Frame } from './frame';

const subject = 'the app registration in Microsoft Entra';

/** Step 4: the way to Microsoft. The sign-in is in another tab; this page waits for it. */
export default function Microsoft({ next }: StepProps) {
  const connections = useQuery(connectionsQuery);
  const consent = useConsent('setup');
  const [adding, setAdding] = useState(false);
  const [editing, setEditing] = useState<number>();
  const all = connections.data?.items.filter((c) => c.kind !== 'manage') ?? [];
  const edited = all.find((c) => c.id === editing);
  const works = all.some((c) => c.health.state === 'healthy');
  const waiting = consent.is;
  const shown = all.find((c) => c.id === waiting?.connection) ?? all.find((c) => c.health.state === 'healthy');
  return (
    <Frame
      title="Microsoft"
      why="Trueup reads from Microsoft how many licenses each customer has, and who holds them. It changes nothing there."
      side={consent.waits ? <Hint /> : shown && shown.health.state === 'healthy' ? <Validated key={shown.id} connection={shown} /> : <Help />}
    >
      <Loaded query={connections} what="The connections" rows={5}>
        {() =>
          all.length === 0 || adding || edited ? (
            <MicrosoftForm
              key={edited?.id ?? 'new'}
              connection={edited}
              save="Save and continue"
              onSaved={(saved, tab) => {
                setAdding(false);
                setEditing(undefined);
                if (wantsSignIn(saved.connection)) consent.begin.mutate({ id: saved.connection.id, tab });
              }}
            >
              {all.length > 0 && (
                <Button
                  onClick={() => {
                    setAdding(false);
                    setEditing(undefined);
                  }}
                >
                  Cancel
                </Button>
              )}
            </MicrosoftForm>
          ) : (
            <>
              {all.map((c) => (
                <One key={c.id} connection={c} waiting={waiting?.connection === c.id ? waiting : undefined} onSignIn={() => consent.begin.mutate({ id: c.id, tab: openTab() })} onStop={consent.stop} onEdit={() => setEditing(c.id)} />
              ))}
              {consent.begin.error && <FaultNote error={consent.begin.error} />}
              <div className="row">
                {works && (
                  <Button variant="filled" onClick={next} autoFocus>
                    Continue
                  </Button>
                )}
                <Button onClick={() => setAdding(true)}>Add another connection</Button>
              </div>
            </>
          )
        }
      </Loaded>
    </Frame>
  );
}

interface OneProps {
  connection: Connection;
  waiting?: Waiting;
  onSignIn: () => void;
  onStop: () => void;
  onEdit: () => void;
}

function One({ connection: c, waiting, onSignIn, onStop, onEdit }: OneProps) {
  const healthy = c.health.state === 'healthy';
  const code = waiting?.code ?? (wantsSignIn(c) ? c.health.code : undefined);
  const [what, action] = code ? refusal(code, c) : [c.health.text ?? '', c.health.action ?? ''];
  const refused = Boolean(waiting?.code) || c.health.state === 'broken';
  return (
    <div className="stack" role="group" aria-label={c.name}>
      <div className="between">
        <div>
          <b>
            <Text>{c.name}</Text>
          </b>
          , {kindWords[c.kind].toLowerCase()}
          <Secrets secrets={c.secrets} />
        </div>
        <Status tone={healthy ? 'ok' : c.health.state === 'broken' ? 'bad' : 'warn'}>{healthy ? 'Validated' : c.health.state === 'broken' ? 'Refused' : wantsSignIn(c) ? 'Nobody signed in' : 'Not tested'}</Status>
      </div>
      {waiting && !waiting.over ? (
        <div className="note info" role="status">
          <div>
            Waiting for Microsoft. Sign in there in the other tab; you can close this page and come back.
            {waiting.location && (
              <div className="small">
                No tab opened?{' '}
                <a href={waiting.location} target="_blank" rel="noopener noreferrer">
                  Open Microsoft
                </a>
              </div>
            )}
          </div>
          <Button onClick={onStop}>Stop waiting</Button>
        </div>
      ) : (
        refused && (
          <div className="note bad" role="alert">
            <div>
              {what} {action}
              {(waiting?.code ?? c.health.code) && <div className="small">{waiting?.code ?? c.health.code}</div>}
            </div>
          </div>
        )
      )}
      {(!waiting || waiting.over) && (
        <div className="row wrap">
          {c.kind === 'partnerConsent' && (
            <Button variant={healthy ? 'default' : 'filled'} onClick={onSignIn}>
              {healthy ? 'Sign in again' : 'Connect with Microsoft'}
            </Button>
          )}
          <Button onClick={onEdit}>Change</Button>
          {c.health.checked && (
            <span className="small quiet">
              Tested <Time at={c.health.checked} />
            </span>
          )}
        </div>
      )}
    </div>
  );
}

/** What Microsoft let us do: tested once when the step is seen, and shown tick by tick. */
function Validated({ connection: c }: { connection: Connection }) {
  const moved = useMoved();
  const [found, setFound] = useState<Schemas['TestResult']>();
  const { mutate, error, isPending } = useMutation({
    mutationFn: () => got(api.POST('/connections/{connection}/test', { params: { path: { connection: c.id } } })),
    onSuccess: async (test) => {
      setFound(test);
      if (!test.ok) await moved('connections');
    },
  });
  useEffect(() => mutate(), [mutate]);
  if (found) return <Found test={found} subject={subject} />;
  if (error) return <FaultNote error={error} onRetry={() => mutate()} />;
  return (
    <p className="quiet" role="status">
      {isPending && 'Looking at what it may do'}
    </p>
  );
}

function Help() {
  return (
    <div className="stack tight">
      <h3>Before you connect</h3>
      <ul className="small">
        <li>Register an app in your own tenant, for accounts in any organization.</li>
        <li>Give it Organization.Read.All, User.Read.All, Directory.Read.All and DelegatedAdminRelationship.Read.All, and user_impersonation of Partner Center.</li>
        <li>Sign in with an account of the partner that is in AdminAgents and has a second factor.</li>
      </ul>
    </div>
  );
}

function Hint() {
  return (
    <div className="stack tight">
      <h3>Does Microsoft show an error?</h3>
      <p className="small quiet">AADSTS50011 means that the app does not know where to send you back to. Add this redirect address to it, as Web:</p>
      <div className="key">{redirectAddress()}</div>
      <div>
        <Copy text={redirectAddress()}>Copy</Copy>
      </div>
      <p className="small quiet">AADSTS700016 means that the application id is wrong, or of another tenant. AADSTS50020 means that the account is not of your tenant.</p>
    </div>
  );
}
