import { Button, Radio } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { day } from '../../format';
import { FaultNote, Loaded } from '../../parts/fault';
import { Status, Text, Time } from '../../parts/show';
import { connectionsQuery, type Connection } from '../connections/data';
import { About, Found, Secrets } from '../connections/evidence';
import { ManageForm } from '../connections/manageform';
import { typesQuery } from '../profiles/data';
import { type StepProps, useMoved } from './data';
import { Frame } from './frame';

const subject = 'the security role of the API member in ConnectWise';

/** Step 1: the keys of ConnectWise, what they may do, and through when agreements are invoiced. */
export default function ConnectWise({ next }: StepProps) {
  const connections = useQuery(connectionsQuery);
  const [found, setFound] = useState<Schemas['TestResult']>();
  const [editing, setEditing] = useState(false);
  const manage = connections.data?.items.find((c) => c.kind === 'manage');
  const side = found ? (
    <Found test={found} subject={subject} />
  ) : manage ? (
    <About about={manage.about} />
  ) : (
    <Needs />
  );
  return (
    <Frame title="ConnectWise" why="Trueup reads companies and agreements of ConnectWise Manage, and writes the quantities of additions there." side={side}>
      <Loaded query={connections} what="The connection" rows={5}>
        {() =>
          manage && !editing ? (
            <>
              <Connected connection={manage} onFound={setFound} onEdit={() => setEditing(true)} />
              {manage.health.state !== 'broken' && <Types next={next} />}
            </>
          ) : (
            <ManageForm
              connection={manage}
              save="Save and continue"
              onTested={manage ? undefined : setFound}
              onSaved={(saved) => {
                setFound(saved.test);
                setEditing(false);
              }}
            >
              {manage && <Button onClick={() => setEditing(false)}>Cancel</Button>}
            </ManageForm>
          )
        }
      </Loaded>
    </Frame>
  );
}

/** What the API member needs, before anything was tried. */
function Needs() {
  return (
    <div className="stack tight">
      <h3>What the API member needs</h3>
      <p className="small quiet">A security role of its own, with:</p>
      <ul className="small">
        <li>Companies › Company Maintenance: inquire</li>
        <li>Finance › Agreements: add, edit, inquire</li>
        <li>Finance › Agreement Invoicing and Invoicing: inquire</li>
        <li>Procurement › Product Catalog: inquire</li>
        <li>System › Table Setup: inquire</li>
      </ul>
      <p className="small quiet">The test says by name what is missing.</p>
    </div>
  );
}

function Connected({ connection: c, onFound, onEdit }: { connection: Connection; onFound: (found: Schemas['TestResult']) => void; onEdit: () => void }) {
  const moved = useMoved();
  const test = useMutation({
    mutationFn: () => got(api.POST('/connections/{connection}/test', { params: { path: { connection: c.id } } })),
    onSuccess: async (found) => {
      onFound(found);
      await moved('connections');
    },
  });
  const works = c.health.state === 'healthy';
  return (
    <div className="stack">
      <div className="between">
        <div>
          <b>
            <Text>{c.site}</Text>
          </b>
          , company <Text>{c.company}</Text>
          <div className="small quiet">
            Public key <Text>{c.publicKey}</Text>
          </div>
          <Secrets secrets={c.secrets} />
        </div>
        <Status tone={works ? 'ok' : c.health.state === 'broken' ? 'bad' : 'none'}>{works ? 'Works' : c.health.state === 'broken' ? 'Does not work' : 'Not tested yet'}</Status>
      </div>
      {c.health.state === 'broken' && (
        <div className="note bad" role="alert">
          <div>
            {c.health.text} {c.health.action}
          </div>
        </div>
      )}
      {test.error && <FaultNote error={test.error} />}
      <div className="row">
        <Button onClick={() => test.mutate()} loading={test.isPending}>
          Test connection
        </Button>
        <Button onClick={onEdit}>Change</Button>
        {c.health.checked && (
          <span className="small quiet">
            Tested <Time at={c.health.checked} />
          </span>
        )}
      </div>
    </div>
  );
}

type Through = Schemas['InvoicedThrough'];
const other: Record<Through, Through> = { dayBeforeNextInvoice: 'oneCycleEarlier', oneCycleEarlier: 'dayBeforeNextInvoice' };

/** Through when each type is invoiced: all additions are dated by it, so a person says it is right. */
function Types({ next }: { next: () => void }) {
  const moved = useMoved();
  const types = useQuery(typesQuery);
  const [said, setSaid] = useState<Record<number, Through>>({});
  const asked = (types.data?.items ?? []).filter((t) => !t.inactive && t.example);
  const confirm = useMutation({
    mutationFn: async () => {
      for (const t of asked) {
        const invoicedThrough = said[t.id] ?? t.invoicedThrough;
        if (t.confirmed && invoicedThrough === t.invoicedThrough) continue;
        await got(api.PUT('/manage/agreement-types/{agreementType}', { params: { path: { agreementType: t.id } }, body: { invoicedThrough } }));
      }
    },
    onSettled: () => moved('agreement-types'),
    onSuccess: next,
  });
  if (types.error) {
    return (
      <>
        <FaultNote error={types.error} onRetry={() => void types.refetch()} />
        <div>
          <Button variant="filled" onClick={next}>
            Continue
          </Button>
        </div>
      </>
    );
  }
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        confirm.mutate();
      }}
    >
      <Loaded query={types} what="The agreement types" rows={3}>
        {() =>
          asked.length > 0 && (
            <>
              <div>
                <h3>Through when are your agreements invoiced?</h3>
                <p className="small quiet">Additions are dated by it. Compare with the last invoice of one agreement of each type.</p>
              </div>
              {asked.map((t) => (
                <Type key={t.id} type={t} value={said[t.id] ?? t.invoicedThrough} onChange={(v) => setSaid({ ...said, [t.id]: v })} />
              ))}
            </>
          )
        }
      </Loaded>
      {confirm.error && <FaultNote error={confirm.error} />}
      <div>
        <Button type="submit" variant="filled" loading={confirm.isPending} disabled={types.isPending} autoFocus>
          {asked.length > 0 ? 'That is right, continue' : 'Continue'}
        </Button>
      </div>
    </form>
  );
}

function Type({ type: t, value, onChange }: { type: Schemas['AgreementType']; value: Through; onChange: (v: Through) => void }) {
  const e = t.example;
  if (!e) return null;
  const at = (v: Through) => (v === t.invoicedThrough ? e.through : e.otherwise);
  return (
    <Radio.Group
      label={<Text>{t.name}</Text>}
      description={
        <>
          <Text>{e.agreement.name}</Text> is invoiced next on {day(e.nextInvoice)}
          {e.lastInvoice && `, last on ${day(e.lastInvoice)}`}
          {e.lastInvoiceNumber && (
            <>
              {' '}
              with <Text>{e.lastInvoiceNumber}</Text>
            </>
          )}
          .
        </>
      }
      value={value}
      onChange={(v) => onChange(v as Through)}
    >
      <div className="row wrap" style={{ gap: '4px 20px', paddingTop: 6 }}>
        {[t.invoicedThrough, other[t.invoicedThrough]].map((v) => (
          <Radio key={v} value={v} label={`Invoiced through ${day(at(v))}`} />
        ))}
      </div>
    </Radio.Group>
  );
}
