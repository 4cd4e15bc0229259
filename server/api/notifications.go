package api

import "time"

// NotificationsBook is what the screen needs. D9: what is told, and mutes.
type NotificationsBook interface{}

type notificationsScreen struct {
	book NotificationsBook
	now  func() time.Time
}
