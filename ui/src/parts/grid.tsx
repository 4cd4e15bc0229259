import { useHotkeys } from '@mantine/hooks';
import { createColumnHelper, type RowSelectionState, rowSelectionFeature, tableFeatures, useTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';

const features = tableFeatures({ rowSelectionFeature });

/** A column. Its share is how it takes part in the width; below a width it goes. */
export interface Column<T> {
  id: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** Pixels that it has at least, and its part of what is left. */
  width: number;
  share?: number;
  numeric?: boolean;
  /** In how wide a grid it is shown: wide over 1,000 px, medium over 700, narrow over 460. */
  from?: 'wide' | 'medium' | 'narrow';
  /** The name by which the server sorts, where it does. */
  sort?: string;
}

interface Choice<T> {
  chosen: ReadonlySet<string>;
  set: (chosen: Set<string>) => void;
  /** Why a row can't be chosen; undefined where it can. */
  not?: (row: T) => string | undefined;
  /** Whether a row is among all; one that isn't is chosen by itself. */
  amongAll?: (row: T) => boolean;
  name: (row: T) => string;
}

interface Props<T> {
  label: string;
  rows: T[];
  columns: Column<T>[];
  id: (row: T) => string;
  choice?: Choice<T>;
  sort?: string;
  onSort?: (sort: string) => void;
  onOpen?: (row: T) => void;
  /** What is drawn in the place of cells, for a row that heads others. */
  heads?: (row: T) => ReactNode;
  /** What is drawn below a row; undefined while it is closed. */
  detail?: (row: T) => ReactNode;
  /** Called when the end comes near, to get more. */
  onEnd?: () => void;
  total?: number;
}

/**
 * A grid of any length: only the rows in sight are drawn. j and k move, x chooses, Enter
 * opens.
 */
export function DataGrid<T>(p: Props<T>) {
  const { rows, columns, id, choice } = p;
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(-1);
  const selection = useMemo<RowSelectionState>(() => Object.fromEntries([...(choice?.chosen ?? [])].map((key) => [key, true])), [choice?.chosen]);
  const helper = useMemo(() => createColumnHelper<typeof features, T & object>(), []);
  const table = useTable({
    features,
    data: rows as (T & object)[],
    columns: useMemo(() => helper.columns(columns.map((c) => helper.display({ id: c.id }))), [columns, helper]),
    getRowId: id,
    enableRowSelection: (row) => Boolean(choice) && !choice?.not?.(row.original),
    state: { rowSelection: selection },
    onRowSelectionChange: (change) => {
      const to = typeof change === 'function' ? change(selection) : change;
      choice?.set(new Set(Object.keys(to).filter((key) => to[key])));
    },
  });
  const all = table.getRowModel().rows;
  const virtual = useVirtualizer({
    count: all.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 49,
    getItemKey: (i) => all[i]?.id ?? i,
    overscan: 8,
    initialRect: { width: 1000, height: 600 },
  });
  const items = virtual.getVirtualItems();

  const last = items.at(-1)?.index ?? -1;
  const { onEnd } = p;
  useEffect(() => {
    if (last >= all.length - 20 && all.length) onEnd?.();
  }, [last, all.length, onEnd]);

  const move = (by: number) => {
    const to = Math.max(0, Math.min(all.length - 1, active + by));
    setActive(to);
    virtual.scrollToIndex(to);
  };
  const choose = (row: (typeof all)[number] | undefined) => row?.getCanSelect() && row.toggleSelected();
  useHotkeys([
    ['j', () => move(1)],
    ['k', () => move(-1)],
    ['x', () => choose(all[active])],
    ['Enter', () => all[active] && p.onOpen?.(all[active].original)],
  ], ['INPUT', 'TEXTAREA', 'SELECT', 'BUTTON', 'A']);

  const eligible = choice ? all.filter((row) => row.getCanSelect() && (choice.amongAll?.(row.original) ?? true)) : [];
  const chosenOfAll = eligible.filter((row) => choice?.chosen.has(row.id)).length;
  const chooseAll = () => {
    const to = new Set(choice?.chosen);
    const clears = chosenOfAll === eligible.length;
    for (const row of eligible) {
      if (clears) to.delete(row.id);
      else to.add(row.id);
    }
    choice?.set(to);
  };

  return (
    <div className="grid" role="table" aria-label={p.label} aria-rowcount={(p.total ?? all.length) + 1}>
      <div className="grid-scroll" ref={scroller} tabIndex={0} role="rowgroup" aria-label={p.label}>
        <div className="grid-row grid-head" role="row" aria-rowindex={1}>
          {choice && (
            <div className="grid-cell grid-check" role="columnheader">
              {eligible.length > 0 ? (
                <label>
                  <span className="unseen">Select all {eligible.length} shown</span>
                  <input
                    type="checkbox"
                    checked={chosenOfAll === eligible.length}
                    ref={(box) => {
                      if (box) box.indeterminate = chosenOfAll > 0 && chosenOfAll < eligible.length;
                    }}
                    onChange={chooseAll}
                  />
                </label>
              ) : (
                <span className="unseen">Selection</span>
              )}
            </div>
          )}
          {columns.map((c) => (
            <div key={c.id} className={cellClass(c)} style={flex(c)} role="columnheader" aria-sort={c.sort && p.sort === c.sort ? 'other' : undefined}>
              {c.sort && p.onSort ? (
                <button type="button" className="plain" onClick={() => p.onSort?.(c.sort as string)} title={`Sort by ${c.title.toLowerCase()}`}>
                  {c.title}
                  {p.sort === c.sort && <span aria-hidden="true"> ↓</span>}
                </button>
              ) : (
                c.title
              )}
            </div>
          ))}
        </div>
        <div role="presentation" style={{ position: 'relative', height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = all[item.index];
            if (!row) return null;
            const detail = p.detail?.(row.original);
            const not = choice?.not?.(row.original);
            const head = p.heads?.(row.original);
            if (head) {
              return (
                <div key={item.key} ref={virtual.measureElement} data-index={item.index} className="grid-item" role="presentation" style={{ transform: `translateY(${item.start}px)` }}>
                  <div className="grid-row grid-group" role="row" aria-rowindex={item.index + 2}>
                    {head}
                  </div>
                </div>
              );
            }
            return (
              <div
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                data-active={item.index === active}
                data-chosen={choice?.chosen.has(row.id) ?? false}
                className={p.onOpen ? 'grid-item opens' : 'grid-item'}
                role="presentation"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {/* The keyboard opens a row by Enter on the active one, or by its button. */}
                <div
                  className="grid-row"
                  role="row"
                  tabIndex={-1}
                  aria-rowindex={item.index + 2}
                  onClick={(e) => {
                    if ((e.target as HTMLElement).closest('button,a,input,label') || getSelection()?.toString()) return;
                    setActive(item.index);
                    p.onOpen?.(row.original);
                  }}
                  onKeyDown={(e) => e.key === 'Enter' && e.target === e.currentTarget && p.onOpen?.(row.original)}
                >
                  {choice && (
                    <div className="grid-cell grid-check" role="cell">
                      <label title={not}>
                        <span className="unseen">{not ? `${choice.name(row.original)} can't be selected: ${not}` : `Select ${choice.name(row.original)}`}</span>
                        <input type="checkbox" checked={choice.chosen.has(row.id)} disabled={!row.getCanSelect()} onChange={() => choose(row)} />
                      </label>
                    </div>
                  )}
                  {columns.map((c) => (
                    <div key={c.id} className={cellClass(c)} style={flex(c)} role="cell">
                      {c.cell(row.original)}
                    </div>
                  ))}
                </div>
                {detail && (
                  <div role="row" aria-label="Details">
                    <div className="grid-detail" role="cell">
                      {detail}
                    </div>
                  </div>
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

const flex = <T,>(c: Column<T>) => ({ flex: `${c.share ?? 0} 1 ${c.width}px` });
const cellClass = <T,>(c: Column<T>) => ['grid-cell', c.numeric && 'num', c.from].filter(Boolean).join(' ');
