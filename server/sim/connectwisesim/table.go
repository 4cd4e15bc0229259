package connectwisesim

import "slices"

// table holds the records of one resource, sorted by id, and the columns that say how they are read, written and searched.
type table[T any] struct {
	resource string // as in error bodies: addition
	label    string // as in "Addition 57919 not found"
	rows     map[int]*T
	ids      []int
	lastID   int
	columns  []column[T]
}

func newTable[T any](resource, label string, columns []column[T]) *table[T] {
	return &table[T]{resource: resource, label: label, rows: make(map[int]*T), columns: columns}
}

// next is an id that no record has had.
func (t *table[T]) next() int { return t.lastID + 1 }

// put adds or replaces the record of an id. Records are never changed in place, so that a reader may keep one.
func (t *table[T]) put(id int, row *T) {
	if _, known := t.rows[id]; !known {
		t.ids = insertSorted(t.ids, id)
	}
	t.rows[id] = row
	t.lastID = max(t.lastID, id)
}

func (t *table[T]) remove(id int) {
	delete(t.rows, id)
	t.ids = removeSorted(t.ids, id)
}

// column finds a column by its exact name.
func (t *table[T]) column(name string) *column[T] {
	for i := range t.columns {
		if t.columns[i].name == name {
			return &t.columns[i]
		}
	}
	return nil
}

func insertSorted(ids []int, id int) []int {
	if len(ids) == 0 || ids[len(ids)-1] < id {
		return append(ids, id)
	}
	at, found := slices.BinarySearch(ids, id)
	if found {
		return ids
	}
	return slices.Insert(ids, at, id)
}

func removeSorted(ids []int, id int) []int {
	at, found := slices.BinarySearch(ids, id)
	if !found {
		return ids
	}
	return slices.Delete(ids, at, at+1)
}

// index keeps the ids of records by a key, sorted.
type index[K comparable] map[K][]int

func (x index[K]) add(key K, id int) { x[key] = insertSorted(x[key], id) }

func (x index[K]) drop(key K, id int) {
	left := removeSorted(x[key], id)
	if len(left) == 0 {
		delete(x, key)
		return
	}
	x[key] = left
}
