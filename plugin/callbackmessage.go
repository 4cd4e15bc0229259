package plugin

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// The types of callbacks that are asked for.
const (
	AgreementCallback = "agreement"
	CompanyCallback   = "company"
)

// CallbackMessage is what a callback says. Before its signature was checked it is a
// stranger's word, and after that a hint: which record to read again.
type CallbackMessage struct {
	// ID is of the message, the same when it is sent again; "" when it has none.
	ID string
	// Type is AgreementCallback, CompanyCallback, or "" for anything else.
	Type string
	// Action is added, updated or deleted, or "".
	Action string
	// Record is the id of the record in Manage, from 1; 0 when it isn't said.
	Record int
	// Member is who changed it, as Manage names that member; "" when it isn't said.
	Member string
	// KeyURL is where the key of the signature is said to be: an address from a stranger,
	// see CallbackSource.
	KeyURL string
}

// ErrCallbackForm says that a body isn't in the form of a callback.
var ErrCallbackForm = errors.New("the body is not in the form of a callback")

var (
	messageID  = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)
	noID       = regexp.MustCompile(`^[0-]+$`)
	memberForm = regexp.MustCompile(`^[\x21-\x7E]{1,100}$`)
)

// longestKeyURL is far beyond what Manage sends, and short of what costs something.
const longestKeyURL = 2048

// ParseCallback reads a body, and what Manage appended to the query of the address: that
// is not signed, and only says of which record a signed body speaks that doesn't say so
// itself. What has another form than expected is left out; a body that is no JSON object
// is ErrCallbackForm.
func ParseCallback(body []byte, query string) (CallbackMessage, error) {
	var in struct {
		MessageID json.RawMessage `json:"MessageId"`
		MemberID  json.RawMessage `json:"MemberId"`
		Action    json.RawMessage
		Type      json.RawMessage
		ID        json.RawMessage
		Metadata  json.RawMessage
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return CallbackMessage{}, ErrCallbackForm // the cause may quote the body
	}
	var meta struct {
		KeyURL json.RawMessage `json:"key_url"`
	}
	if len(in.Metadata) > 0 && json.Unmarshal(in.Metadata, &meta) != nil {
		meta.KeyURL = nil
	}
	m := CallbackMessage{
		ID: textOf(in.MessageID), Type: typeOf(textOf(in.Type)), Action: actionOf(textOf(in.Action)),
		Record: recordOf(numberOf(in.ID)), Member: textOf(in.MemberID), KeyURL: textOf(meta.KeyURL),
	}
	if !messageID.MatchString(m.ID) || noID.MatchString(m.ID) {
		m.ID = ""
	}
	if !memberForm.MatchString(m.Member) {
		m.Member = ""
	}
	if len(m.KeyURL) > longestKeyURL {
		m.KeyURL = ""
	}
	record, action := appended(query)
	if m.Record == 0 {
		m.Record = record
	}
	if m.Action == "" {
		m.Action = action
	}
	return m, nil
}

// appended reads what Manage puts behind the address that it was given: the record's id
// and &action=, as they are.
func appended(query string) (record int, action string) {
	if len(query) > longestKeyURL {
		return 0, ""
	}
	v, _ := url.ParseQuery(query) // what can be read of it
	return recordOf(v.Get("recordId")), actionOf(v.Get("action"))
}

func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// numberOf takes a number, also one in quotes.
func numberOf(raw json.RawMessage) string {
	if s := textOf(raw); s != "" {
		return s
	}
	return string(raw)
}

// recordOf takes the digits of an id and nothing else.
func recordOf(s string) int {
	if s == "" || len(s) > 10 || strings.Trim(s, "0123456789") != "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}

func typeOf(s string) string {
	switch strings.ToLower(s) {
	case "agreement", "agreements":
		return AgreementCallback
	case "company", "companies":
		return CompanyCallback
	}
	return ""
}

func actionOf(s string) string {
	switch s = strings.ToLower(s); s {
	case "added", "updated", "deleted":
		return s
	}
	return ""
}
