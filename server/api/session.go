package api

import "time"

// SessionBook is what the screen needs. D0: signing in, and one's own account.
type SessionBook interface{}

type sessionScreen struct {
	book SessionBook
	now  func() time.Time
}
