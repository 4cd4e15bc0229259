import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { useMe } from '../../api/session';
import { count, many } from '../../format';
import { Checks, Copy } from '../../parts/checks';
import { FaultNote, Loaded } from '../../parts/fault';
import { Status, type Tone, Text, Time } from '../../parts/show';

type Installation = Schemas['Installation'];
type Part = Schemas['InstalledPart'];

const key = ['installation'];
const states: Record<Part['state'], [Tone, string]> = {
  made: ['ok', 'Installed'],
  found: ['ok', 'Installed'],
  repaired: ['ok', 'Repaired'],
  altered: ['warn', 'Altered by hand'],
  absent: ['none', 'Not in this version'],
  removed: ['none', 'Removed'],
  failed: ['bad', 'Failed'],
  unseen: ['held', 'Not looked at'],
};

/** What Trueup made inside ConnectWise: its screens and callbacks, and how those come in. */
export function InManage() {
  const queries = useQueryClient();
  const query = useQuery({
    queryKey: key,
    queryFn: () => got(api.GET('/installation')),
    refetchInterval: (q) => (q.state.data?.running ? 2_000 : 60_000),
  });
  const keep = { onSuccess: (is: Installation) => queries.setQueryData(key, is) };
  const install = useMutation({ mutationFn: () => got(api.POST('/installation')), ...keep });
  const remove = useMutation({ mutationFn: () => got(api.DELETE('/installation')), ...keep });
  return (
    <section className="installation stack" aria-labelledby="installation">
      <h2 id="installation">In ConnectWise</h2>
      <p className="quiet">Screens on agreement and company pages, and callbacks that tell Trueup of changes within seconds.</p>
      <Loaded query={query} what="What is installed" rows={3}>
        {(is) => (
          <>
            <Head installation={is} install={() => install.mutate()} remove={() => remove.mutate()} busy={install.isPending || remove.isPending} />
            {(install.error ?? remove.error) && <FaultNote error={install.error ?? remove.error} />}
            <Lacking installation={is} />
            <Parts parts={is.parts} />
            <ByHand steps={is.byHand} />
            {is.installed && <Callbacks health={is.callbacks} />}
          </>
        )}
      </Loaded>
    </section>
  );
}

function Head({ installation: is, install, remove, busy }: { installation: Installation; install: () => void; remove: () => void; busy: boolean }) {
  const { may } = useMe();
  const [sure, setSure] = useState(false);
  return (
    <div className="between">
      <div>
        <Status tone={is.running ? 'change' : is.installed ? 'ok' : 'none'}>{is.running ? 'At work' : is.installed ? 'Installed' : 'Not installed'}</Status>
        <div className="small quiet">
          {is.installedAt && (
            <>
              Installed <Time at={is.installedAt} />
              {is.installedBy && (
                <>
                  {' '}
                  by <Text>{is.installedBy}</Text>
                </>
              )}
              .{' '}
            </>
          )}
          {is.checkedAt && (
            <>
              Looked at <Time at={is.checkedAt} />.
            </>
          )}
        </div>
      </div>
      {may('admin') && (
        <div className="row wrap end">
          {sure ? (
            <>
              <span>Remove Trueup's screens and callbacks from ConnectWise?</span>
              <Button onClick={() => setSure(false)}>Keep them</Button>
              <Button
                variant="filled"
                autoFocus
                onClick={() => {
                  setSure(false);
                  remove();
                }}
              >
                Remove
              </Button>
            </>
          ) : (
            <>
              {is.installed && (
                <Button onClick={() => setSure(true)} disabled={busy || is.running}>
                  Remove from ConnectWise…
                </Button>
              )}
              <Button onClick={install} loading={busy} disabled={is.running}>
                {is.installed ? 'Repair' : 'Install in ConnectWise'}
              </Button>
            </>
          )}
        </div>
      )}
    </div>
  );
}

/** What must be so before it can be installed, and what the role lacks, to hand on. */
function Lacking({ installation: is }: { installation: Installation }) {
  const missing = is.checks.filter((c) => !c.ok);
  const asked = ['Trueup needs these settings at the security role of its API member in ConnectWise:', '', ...is.lacking.map((r) => `- ${r.setting} (${r.also}), for ${r.for}`)].join('\n');
  return (
    <>
      {missing.length > 0 && <Checks checks={missing} subject="installing Trueup in ConnectWise" />}
      {is.lacking.length > 0 && (
        <div className="note warn">
          <div>
            The API member's security role lacks {many(is.lacking.length, 'setting')}:
            <ul>
              {is.lacking.map((r) => (
                <li key={r.code + r.setting}>
                  <Text>{r.setting}</Text>, for <Text>{r.for}</Text>
                </li>
              ))}
            </ul>
          </div>
          <Copy text={asked}>Copy for my admin</Copy>
        </div>
      )}
    </>
  );
}

function Parts({ parts }: { parts: Part[] }) {
  if (parts.length === 0) return null;
  return (
    <table className="lines">
      <thead>
        <tr>
          <th scope="col">Part</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {parts.map((p) => {
          const [tone, word] = states[p.state];
          return (
            <tr key={p.kind + p.name}>
              <td>
                <Text>{p.title}</Text>
                <div className="small quiet">
                  {p.kind === 'screen' ? 'Screen' : 'Callback'}
                  {p.screen && (
                    <>
                      {' '}
                      on <Text>{p.screen}</Text>
                    </>
                  )}
                  {p.id !== undefined && `, #${p.id}`}
                </div>
              </td>
              <td>
                <Status tone={tone}>{word}</Status>
                {p.changed.length > 0 && <div className="small quiet">{p.changed.join(', ')}</div>}
                {(p.text || p.action) && (
                  <div className="small quiet">
                    <Text>{p.text}</Text> <Text>{p.action}</Text>
                  </div>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function ByHand({ steps }: { steps: Schemas['ByHandStep'][] }) {
  if (steps.length === 0) return null;
  return (
    <div className="stack tight">
      <h3>To be done by hand in ConnectWise</h3>
      <ul className="hand">
        {steps.map((s) => (
          <li key={s.code}>
            <Text>{s.text}</Text>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Callbacks({ health: h }: { health: Schemas['CallbackHealth'] }) {
  return (
    <div className="stack tight">
      <h3>Callbacks</h3>
      <p className="quiet">
        {h.lastReceived ? (
          <>
            The last came <Time at={h.lastReceived} />
            {h.lastBelieved ? (
              <>
                , the last that could be believed <Time at={h.lastBelieved} />
              </>
            ) : (
              ', and none could be believed yet'
            )}
            .
          </>
        ) : (
          'None has come yet. The first comes with the next change in ConnectWise.'
        )}
        {h.waiting > 0 && ` ${count(h.waiting)} wait to be heeded.`}
        {h.refused > 0 && ` ${count(h.refused)} were refused in the last day${h.reason ? ` (${h.reason})` : ''}.`}
      </p>
      {h.trouble && (
        <div className="note warn">
          <div>
            <Text>{h.trouble}</Text>
          </div>
        </div>
      )}
    </div>
  );
}
