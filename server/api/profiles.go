package api

// ProfilesBook is what the screen needs. D6: billing profiles.
type ProfilesBook interface{}

type profilesScreen struct {
	book ProfilesBook
}
