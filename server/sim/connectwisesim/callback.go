package connectwisesim

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// callbackLevels are the documented types with their levels, as they are written on the wire.
func callbackLevels(kind string) []string {
	return strings.Fields(map[string]string{
		"activity":       "owner status type company activity",
		"agreement":      "owner type company agreement",
		"company":        "owner status type territory company integratortag",
		"contact":        "owner type territory company contact",
		"configuration":  "owner type status company configuration",
		"expense":        "owner chargetotype type class company expense",
		"invoice":        "owner status company invoice",
		"member":         "owner location securityrole member",
		"opportunity":    "owner statusid company opportunity",
		"productcatalog": "owner",
		"project":        "owner status board project",
		"purchaseorder":  "owner status vendor company purchaseorder",
		"schedule":       "owner status type location member schedule",
		"ticket":         "owner board project phase status ticket integratortag",
		"time":           "owner company time",
	}[kind])
}

func callbackColumns() []column[Callback] {
	columns := []column[Callback]{
		computed("id", func(_ *Sim, c *Callback) value { return integer(c.ID) }),
		textColumn("description", 100, func(c *Callback) *string { return &c.Description }),
		textColumn("url", 0, func(c *Callback) *string { return &c.URL }),
		{name: "objectId", get: func(_ *Sim, c *Callback) value { return integer(c.ObjectID) }, set: setObjectID},
		textColumn("type", 0, func(c *Callback) *string { return &c.Type }),
		textColumn("level", 0, func(c *Callback) *string { return &c.Level }),
		computed("memberId", func(_ *Sim, c *Callback) value { return integer(c.MemberID) }),
		computed("payloadVersion", func(*Sim, *Callback) value { return text("3.0.0") }),
		boolColumn("inactiveFlag", func(c *Callback) *bool { return &c.Inactive }),
		computed("isSoapCallbackFlag", func(*Sim, *Callback) value { return boolean(false) }),
		boolColumn("isSelfSuppressedFlag", func(c *Callback) *bool { return &c.SelfSuppressed }),
		computed("connectWiseID", func(_ *Sim, c *Callback) value { return text(c.KeyID) }),
		computed("_info", func(_ *Sim, c *Callback) value { return c.Stamp.info() }),
	}
	for i := range columns {
		columns[i].required = slices.Contains([]string{"url", "objectId", "type", "level"}, columns[i].name)
	}
	return columns
}

func setObjectID(_ *Sim, c *Callback, body json.RawMessage) *fieldFault {
	n, err := plainDecimal(string(body))
	if err != nil {
		return invalid("objectId", "The objectId field is not a number.")
	}
	if _, err := fmt.Sscanf(n, "%d", &c.ObjectID); err != nil {
		return invalid("objectId", "The objectId field is not a number.")
	}
	return nil
}

func listCallbacks(s *Sim, c call, _ []int) reply { return listReply(s, s.callbacks, c, nil) }

func countCallbacks(s *Sim, c call, _ []int) reply { return countReply(s, s.callbacks, c, nil) }

func getCallback(s *Sim, c call, ids []int) reply { return oneReply(s, s.callbacks, ids[0], c) }

func createCallback(s *Sim, c call, _ []int) reply {
	row := &Callback{ID: s.callbacks.next(), MemberID: s.memberID(c.member), KeyID: newGUID(), Key: rand.Text()}
	if refused := fill(s, s.callbacks, row, c.body); refused != nil {
		return *refused
	}
	if fault := s.checkCallback(row); fault != nil {
		return invalidObject("callbackEntry", fault)
	}
	row.Stamp = s.stamp(row.Stamp, c.member)
	s.callbacks.put(row.ID, row)
	return created(appendRow(s, s.callbacks, row, nil, nil))
}

// checkCallback puts a callback into the form in which it is kept, and refuses one that isn't documented or is there already.
func (s *Sim) checkCallback(row *Callback) *fieldFault {
	row.Type, row.Level = strings.ToLower(row.Type), strings.ToLower(row.Level)
	if at, err := url.Parse(row.URL); err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" {
		return invalid("url", "Invalid URL")
	}
	levels := callbackLevels(row.Type)
	if len(levels) == 0 {
		return invalid("type", "Unrecognized type, see documentation for supported types")
	}
	if !slices.Contains(levels, row.Level) {
		return invalid("level", "Unrecognized level for type, see documentation for supported levels for each type")
	}
	if row.Level == "owner" {
		row.ObjectID = 1
	}
	for _, other := range s.callbacks.rows {
		if other.ID != row.ID && other.Type == row.Type && other.Level == row.Level && other.ObjectID == row.ObjectID && strings.EqualFold(other.URL, row.URL) {
			return &fieldFault{"ObjectExists", "A matching callback entry already exists", "objectId"}
		}
	}
	return nil
}

func patchCallback(s *Sim, c call, ids []int) reply {
	old, known := s.callbacks.rows[ids[0]]
	if !known {
		return notFound("CallbackEntry", ids[0])
	}
	row := *old
	if refused := patch(s, s.callbacks, &row, c.body); refused != nil {
		return *refused
	}
	if fault := s.checkCallback(&row); fault != nil {
		return invalidObject("callbackEntry", fault)
	}
	row.failedDays = nil
	row.Stamp = s.stamp(row.Stamp, c.member)
	s.callbacks.put(row.ID, &row)
	return okReply(appendRow(s, s.callbacks, &row, nil, nil))
}

func deleteCallback(s *Sim, _ call, ids []int) reply {
	if s.callbacks.rows[ids[0]] == nil {
		return notFound("CallbackEntry", ids[0])
	}
	s.callbacks.remove(ids[0])
	return reply{status: http.StatusNoContent}
}

func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: the runtime ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
