package api

// ManageBook is what the screen needs. Look-ups in Manage.
type ManageBook interface{}

type manageScreen struct {
	book ManageBook
}
