package api

import "time"

// ConnectionsBook is what the screen needs. D7: connections and consents.
type ConnectionsBook interface{}

type connectionsScreen struct {
	book ConnectionsBook
	now  func() time.Time
}
