package connectwise

import (
	"fmt"
	"strconv"
	"strings"
)

// Fault is what is wrong with a connection's settings.
type Fault string

// The faults of a connection, in the order in which Test looks for them.
const (
	WrongSite         Fault = "wrong_site"
	WrongCompany      Fault = "wrong_company"
	WrongKey          Fault = "wrong_key"
	MissingClientID   Fault = "missing_client_id"
	MissingPermission Fault = "missing_permission"
)

// SetupError says which of a connection's settings is wrong.
type SetupError struct {
	Kind Fault
	// Missing are the permissions, for MissingPermission.
	Missing []Permission
	// Err is what New found, or Manage's answer.
	Err error
}

func (e *SetupError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("connection to connectwise: %s %q", e.Kind, e.Missing)
	}
	return fmt.Sprintf("connection to connectwise: %s: %v", e.Kind, e.Err)
}

func (e *SetupError) Unwrap() error { return e.Err }

// Code is a stable name of what happened.
func (e *SetupError) Code() string { return "connectwise_" + string(e.Kind) }

// Text is what happened, for people.
func (e *SetupError) Text() string {
	switch e.Kind {
	case WrongSite:
		return "The site isn't the address of a ConnectWise Manage."
	case WrongCompany:
		return "The site knows no such company id."
	case WrongKey:
		return "ConnectWise didn't accept the public and private key for this company."
	case MissingClientID:
		return "ConnectWise refused the call for its client id: it is missing or not valid."
	case MissingPermission:
		return fmt.Sprintf("The API member's security role lacks %s.", sentenceList(e.Missing))
	}
	return "The connection to ConnectWise isn't set up right."
}

// Action is what to do, for people.
func (e *SetupError) Action() string {
	switch e.Kind {
	case WrongSite:
		return "Use the host that you sign in to, such as na.myconnectwise.net."
	case WrongCompany:
		return "Use the company id that is typed on ConnectWise's sign-in page."
	case WrongKey:
		return "Make a new key pair at the API member in ConnectWise (System > Members > API Members) and save both keys."
	case MissingClientID:
		return "Make a client id at developer.connectwise.com/ClientID and save it here."
	case MissingPermission:
		return "Add it in ConnectWise (System > Security Roles) to the API member's role, then test again."
	}
	return "Save the connection's settings again."
}

func sentenceList(all []Permission) string {
	words := make([]string, len(all))
	for i, p := range all {
		words[i] = strconv.Quote(string(p))
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}
