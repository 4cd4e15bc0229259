package api

import "time"

// HistoryBook is what the screen needs. D8: runs, sync and progress.
type HistoryBook interface{}

type historyScreen struct {
	book HistoryBook
	now  func() time.Time
}
