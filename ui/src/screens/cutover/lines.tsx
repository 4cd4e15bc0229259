import { Button, Select } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useMemo, useState } from 'react';
import type { Schemas } from '../../api/client';
import { amounts, count, many } from '../../format';
import { State } from '../../parts/fault';
import { DataGrid } from '../../parts/grid';
import { Apply } from './apply';
import { checkColumn, checkWords, lineColumns, Notes } from './columns';
import { type Check, checks, clear, type Filter, keyOf, type Line, monthlyOf, tally } from './data';

/** The lines that were found, what is wrong with ending each, and the choice among them. */
export function Lines({ filter, of, onAgain, onDone }: { filter: Filter; of: Schemas['CutoverPreview']; onAgain: () => void; onDone: (batch: string) => void }) {
  const { lines } = of;
  const [chosen, setChosen] = useState<Set<string>>(() => new Set(lines.filter(clear).map(keyOf)));
  const [only, setOnly] = useState<Check>();
  const [open, setOpen] = useState<string>();
  const [sure, setSure] = useState(false);
  const n = useMemo(() => tally(lines), [lines]);
  const rows = useMemo(() => (only ? lines.filter((l) => l.check === only) : lines), [lines, only]);
  const toggle = (l: Line) => setOpen(open === keyOf(l) ? undefined : keyOf(l));
  const selected = lines.filter((l) => chosen.has(keyOf(l)));
  useHotkeys([['Escape', () => sure || (open ? setOpen(undefined) : setChosen(new Set()))]]);

  if (lines.length === 0) {
    return <State title="No line is like that">No line that is billed on that day fits. A serial fits when it has the text anywhere, in any case; products and types are whole names.</State>;
  }
  return (
    <>
      <div className="figures">
        <Figure name="Lines" value={count(lines.length)} />
        <Figure name="Per month" value={amounts(of.money)} />
        <Figure name="Billed twice" value={count(n.twice)} />
        <Figure name="With a gap" value={count(n.gap)} />
        <Figure name="Nothing follows" value={count(n.unfollowed)} />
      </div>
      {n.twice > 0 && (
        <div className="cutover-notes">
          <div className="note bad">
            <div>
              {many(n.twice, 'line is', 'lines are')} billed twice for some days, because the line of Trueup begins before this one ends. Choose an earlier last day for {n.twice === 1 ? 'it' : 'them'}, or tick{' '}
              {n.twice === 1 ? 'it' : 'them'} by hand.
            </div>
            {only !== 'twice' && <Button onClick={() => setOnly('twice')}>Show {n.twice === 1 ? 'it' : 'them'}</Button>}
          </div>
        </div>
      )}
      <div className="filters">
        <Select
          aria-label="Double-billing check"
          placeholder="All lines"
          clearable
          data={checks.map((c) => ({ value: c, label: `${checkWords[c][1]} (${n[c]})` }))}
          value={only ?? null}
          onChange={(v) => setOnly((v ?? undefined) as Check | undefined)}
          w={190}
        />
        <span className="quiet">{only ? '' : 'Selecting all leaves out the lines that want a look.'}</span>
      </div>
      <div className="cutover-lines">
        <DataGrid
          label="Lines that would end"
          rows={rows}
          columns={[...lineColumns(open, toggle), checkColumn]}
          id={keyOf}
          onOpen={(l) => l.notes.length > 0 && toggle(l)}
          detail={(l) => (open === keyOf(l) ? <Notes line={l} /> : undefined)}
          choice={{
            chosen,
            set: setChosen,
            name: (l) => `${l.product} of ${l.customer?.name ?? l.company}`,
            amongAll: (l) => only !== undefined || clear(l),
          }}
        />
      </div>
      <div className="bar unsaved" role="region" aria-label="Selection">
        <span role="status">
          {selected.length > 0 ? (
            <>
              <b>{count(selected.length)} selected</b> of {count(lines.length)}, {amounts(monthlyOf(selected))} per month
            </>
          ) : (
            'Nothing is selected'
          )}
        </span>
        <Button onClick={() => setChosen(new Set())} disabled={selected.length === 0}>
          Clear
        </Button>
        <Button variant="filled" onClick={() => setSure(true)} disabled={selected.length === 0}>
          {selected.length > 0 ? `End ${many(selected.length, 'line')}…` : 'End lines…'}
        </Button>
      </div>
      {sure && (
        <Apply
          filter={filter}
          fingerprint={of.fingerprint}
          chosen={selected}
          left={lines.filter((l) => !chosen.has(keyOf(l)))}
          onClose={() => setSure(false)}
          onMoved={() => {
            setSure(false);
            onAgain();
          }}
          onDone={onDone}
        />
      )}
    </>
  );
}

const Figure = ({ name, value }: { name: string; value: string }) => (
  <div>
    <span>{name}</span>
    <b>{value}</b>
  </div>
);
