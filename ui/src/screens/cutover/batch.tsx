import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { amounts, count, day, many } from '../../format';
import { Loaded } from '../../parts/fault';
import { DataGrid } from '../../parts/grid';
import { Text, Time } from '../../parts/show';
import { resultColumns } from './columns';
import { batchesQuery, monthlyOf } from './data';

type Detail = Schemas['CutoverBatchDetail'];

const left = (d: Detail) => d.batch.lines - d.batch.done - d.batch.failed;
/** A process that was ended writes no more: what is open after so long is not known. */
const lateAfter = 10 * 60_000;
const isLate = (d: Detail) => left(d) > 0 && Date.now() - Date.parse(d.batch.at) > lateAfter;

/** What became of the lines of one use of the cut-over. */
export function Batch({ id, onBack }: { id: string; onBack: () => void }) {
  const batch = useQuery({
    queryKey: ['cutover', 'batch', id],
    queryFn: () => got(api.GET('/cutover/batches/{batch}', { params: { path: { batch: id } } })),
    refetchInterval: ({ state: { data } }) => (data && left(data) > 0 && !isLate(data) ? 2000 : false),
  });
  return (
    <>
      <header className="page-head">
        <h1>{batch.data ? <>Cut-over to {day(batch.data.batch.lastDay)}</> : 'Cut-over'}</h1>
        <Button onClick={onBack}>Back to cut-over</Button>
      </header>
      <Loaded query={batch} what="What was ended" rows={8}>
        {(d) => <Results of={d} />}
      </Loaded>
    </>
  );
}

function Results({ of: d }: { of: Detail }) {
  const [only, setOnly] = useState(false);
  const rows = only ? d.results.filter((r) => !r.ok) : d.results;
  const open = left(d);
  return (
    <>
      <p className="cutover-lead">
        {d.batch.by ? <Text>{d.batch.by}</Text> : 'Somebody on the terminal'}, <Time at={d.batch.at} full />. {amounts(monthlyOf(d.results.filter((r) => r.ok).map((r) => r.line)))} per month ended.
      </p>
      <div className="cutover-notes" role="status">
        {open > 0 && !isLate(d) ? (
          <div className="note info">
            <div>
              {count(d.batch.done + d.batch.failed)} of {count(d.batch.lines)} written…
            </div>
            <progress className="cutover-progress" aria-label="Lines written" value={d.batch.done + d.batch.failed} max={d.batch.lines} />
          </div>
        ) : d.batch.failed > 0 || open > 0 ? (
          <div className="note warn">
            <div>
              <b>{count(d.batch.done)} ended</b>
              {d.batch.failed > 0 && `, ${count(d.batch.failed)} not`}
              {open > 0 && `, of ${many(open, 'line')} it is not known: look in ConnectWise`}. Those that were not ended say why. Preview again to end them.
            </div>
            <Button onClick={() => setOnly(!only)} aria-pressed={only}>
              {only ? 'Show all' : 'Show only those'}
            </Button>
          </div>
        ) : (
          <div className="note ok">
            <div>
              <b>{many(d.batch.done, 'line')} ended.</b> Their customers are looked at next.
            </div>
          </div>
        )}
      </div>
      <div className="cutover-lines">
        <DataGrid
          label="Lines"
          rows={rows}
          columns={resultColumns(isLate(d))}
          id={(r) => String(r.line.addition)}
          detail={(r) => (r.error ? <Text>{r.error}</Text> : undefined)}
        />
      </div>
    </>
  );
}

/** What was ended before, newest first. */
export function Batches({ onOpen }: { onOpen: (id: string) => void }) {
  const batches = useQuery(batchesQuery);
  return (
    <Loaded query={batches} what="What was ended before" rows={3}>
      {(data) =>
        data.items.length === 0 ? (
          <p className="quiet">Nothing was ended yet.</p>
        ) : (
          <table className="lines">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">By</th>
                <th scope="col">Last day</th>
                <th scope="col" className="num">
                  Ended
                </th>
              </tr>
            </thead>
            <tbody>
              {data.items.map((b) => (
                <tr key={b.id}>
                  <td>
                    <button type="button" className="linklike" onClick={() => onOpen(b.id)}>
                      <Time at={b.at} full />
                    </button>
                  </td>
                  <td>{b.by ? <Text>{b.by}</Text> : 'Terminal'}</td>
                  <td>{day(b.lastDay)}</td>
                  <td className="num">
                    {count(b.done)} of {count(b.lines)}
                    {b.failed > 0 && <span style={{ color: 'var(--bad)' }}>, {count(b.failed)} not</span>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    </Loaded>
  );
}
