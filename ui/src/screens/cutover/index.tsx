import '../../parts/unsaved.css';
import './cutover.css';
import { Button, Drawer } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../../api/client';
import { useMe, useZone } from '../../api/session';
import { dayOf } from '../../format';
import { Bones, FaultNote, Section } from '../../parts/fault';
import { type Search, useFilters } from '../../parts/search';
import { Batch, Batches } from './batch';
import { draftOf, filterOf, monthEnd, previewQuery, searchOf } from './data';
import { FilterForm } from './filter';
import { Lines } from './lines';

/** From another tool to Trueup: its lines get a last day, shown and checked before. */
export default function CutoverScreen() {
  const [search, set] = useFilters();
  const { may } = useMe();
  const id = search.batch ?? '';
  if (/^[A-Za-z0-9_-]{1,64}$/.test(id)) return <Batch key={id} id={id} onBack={() => set({ batch: undefined })} />;
  return may('billing') ? <Cutting search={search} set={set} /> : <Looking onOpen={(batch) => set({ batch })} />;
}

const lead =
  'Lines that another tool or a person keeps in ConnectWise end on a day that you choose, and the lines of Trueup begin the day after. Link the licenses first, so that nothing is billed twice and nothing is left out.';

function Looking({ onOpen }: { onOpen: (batch: string) => void }) {
  return (
    <div className="page stack loose">
      <h1>Cut-over</h1>
      <p className="quiet">You can look but not end lines. Ending them is for the billing role.</p>
      <h2>What was ended</h2>
      <Batches onOpen={onOpen} />
    </div>
  );
}

function Cutting({ search, set }: { search: Search; set: (change: Record<string, string | undefined>) => void }) {
  const zone = useZone();
  const asked = search.by ? filterOf(draftOf(search, monthEnd(dayOf(new Date(), zone)))) : undefined;
  const preview = useQuery({ ...previewQuery(asked ?? { lastDay: '' }), enabled: asked !== undefined });
  const [before, setBefore] = useState(false);
  const errors = preview.error instanceof ApiError ? preview.error.fields : {};
  const done = (batch: string) => set({ batch, by: undefined, serial: undefined, product: undefined, type: undefined, company: undefined, lastDay: undefined });
  return (
    <>
      <header className="page-head">
        <h1>Cut-over</h1>
        <Button onClick={() => setBefore(true)}>What was ended</Button>
      </header>
      {!asked && <p className="cutover-lead">{lead}</p>}
      <FilterForm
        search={search}
        busy={preview.isFetching}
        shown={preview.data !== undefined}
        errors={errors}
        onShow={(d) => {
          const to = searchOf(d);
          if (Object.entries(to).every(([k, v]) => search[k] === v)) void preview.refetch();
          else set(to);
        }}
      />
      {preview.error && !preview.isFetching && (
        <div className="cutover-notes">
          <FaultNote error={preview.error} onRetry={Object.keys(errors).length ? undefined : () => void preview.refetch()} />
        </div>
      )}
      {asked && preview.isFetching && (
        <>
          <p className="cutover-lead" role="status">
            Reading the agreements of ConnectWise. There is no list across them, so it can take a while.
          </p>
          <Bones rows={6} />
        </>
      )}
      {asked && preview.data && !preview.isFetching && !preview.error && (
        <Section what="The lines">
          <Lines key={`${preview.data.fingerprint} ${preview.dataUpdatedAt}`} filter={asked} of={preview.data} onAgain={() => void preview.refetch()} onDone={done} />
        </Section>
      )}
      {before && (
        <Drawer opened onClose={() => setBefore(false)} title="What was ended">
          <Batches
            onOpen={(batch) => {
              setBefore(false);
              set({ batch });
            }}
          />
        </Drawer>
      )}
    </>
  );
}
