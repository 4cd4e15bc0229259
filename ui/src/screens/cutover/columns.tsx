import { day, money, quantity } from '../../format';
import type { Column } from '../../parts/grid';
import { Status, Text, type Tone } from '../../parts/show';
import { type Check, type Line, type Result, sentence } from './data';

export const checkWords: Record<Check, [Tone, string]> = {
  fits: ['ok', 'Fits'],
  twice: ['bad', 'Billed twice'],
  gap: ['warn', 'Gap'],
  unfollowed: ['held', 'Nothing follows'],
};

const company = (l: Line) => l.customer?.name ?? l.company;

/** The columns of lines; toggle opens what is to be known of one. */
export function lineColumns(open: string | undefined, toggle: (l: Line) => void): Column<Line>[] {
  return [
    {
      id: 'company',
      title: 'Company and agreement',
      width: 150,
      share: 3,
      cell: (l) => (
        <>
          <div className="name">
            {l.notes.length > 0 ? (
              <button type="button" className="plain" aria-expanded={open === String(l.addition)} onClick={() => toggle(l)}>
                <Text>{company(l)}</Text>
              </button>
            ) : (
              <Text>{company(l)}</Text>
            )}
          </div>
          <div className="second">
            <Text>{l.agreement.name}</Text>
          </div>
        </>
      ),
    },
    {
      id: 'product',
      title: 'Product and serial',
      width: 140,
      share: 2,
      from: 'narrow',
      cell: (l) => (
        <>
          <div>
            <Text>{l.product}</Text>
          </div>
          <div className="second">{l.serial ? <Text>{l.serial}</Text> : 'No serial'}</div>
        </>
      ),
    },
    { id: 'quantity', title: 'Quantity', width: 76, numeric: true, from: 'medium', cell: (l) => quantity(l.quantity) },
    { id: 'money', title: 'Per month', width: 104, numeric: true, cell: (l) => money(l.monthly.amount, l.monthly.currency) },
    { id: 'was', title: 'Ends now', width: 92, from: 'wide', cell: (l) => (l.was ? day(l.was) : 'Open') },
    { id: 'last', title: 'Last day', width: 92, from: 'wide', cell: (l) => <b>{day(l.lastDay)}</b> },
  ];
}

export const checkColumn: Column<Line> = {
  id: 'check',
  title: 'Check',
  width: 134,
  cell: (l) => {
    if (!l.check) return null;
    const [tone, word] = checkWords[l.check];
    return l.check === 'fits' && l.notes.length > 0 ? <Status tone="warn">Look at this</Status> : <Status tone={tone}>{word}</Status>;
  },
};

/** The same columns for what became of lines. */
export function resultColumns(late: boolean): Column<Result>[] {
  return [
    ...lineColumns(undefined, () => {}).map((c): Column<Result> => ({ ...c, cell: (r) => c.cell({ ...r.line, notes: [] }) })),
    {
      id: 'result',
      title: 'Result',
      width: 120,
      cell: (r) =>
        r.ok ? <Status tone="ok">Ended</Status> : r.error ? <Status tone="bad">Not ended</Status> : late ? <Status tone="warn">Not known</Status> : <Status tone="held">Waits</Status>,
    },
  ];
}

/** What is to be known of a line. */
export function Notes({ line }: { line: Line }) {
  return (
    <ul className="stack tight" style={{ paddingLeft: 18 }}>
      {line.notes.map((n) => (
        <li key={n}>
          <Text>{sentence(n)}</Text>
        </li>
      ))}
    </ul>
  );
}
