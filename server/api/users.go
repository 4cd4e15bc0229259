package api

import "time"

// UsersBook is what the screen needs. D10: users, tokens, audit and security.
type UsersBook interface{}

type usersScreen struct {
	book UsersBook
	now  func() time.Time
}
