package connectwisesim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// HostedScreen is a screen of Manage that can show a pod or tab of somebody else.
type HostedScreen struct {
	ID       int    `json:"id"`
	ScreenID string `json:"screenId"`
	Name     string `json:"name"`
}

// HostedSetup is a row of /system/connectwisehostedsetups: a pod, tab or button on a screen.
type HostedSetup struct {
	ID          int    `json:"id"`
	ScreenID    int    `json:"screenId"`
	Description string `json:"description"` // up to 50
	URL         string `json:"url"`         // up to 1024
	Type        string `json:"type"`        // Tab, Pod, ToolbarButton
	ClientID    string `json:"clientId,omitempty"`
	Origin      string `json:"origin,omitempty"` // up to 100
	PodHeight   string `json:"podHeight,omitempty"`
	Disabled    bool   `json:"disabledFlag,omitempty"`
	Locations   bool   `json:"locationsEnabledFlag,omitempty"`
	Stamp       Stamp  `json:"stamp"`

	Extra map[string]json.RawMessage `json:"extra,omitempty"`
}

// recordedScreens are the screens of the only recorded answer. It has no agreement screen; SetHostedScreens adds one.
func recordedScreens() []HostedScreen {
	var out []HostedScreen
	for i, name := range strings.Fields("CompanyDetail ContactDetail ConnectWiseToday ServiceTicket ProjectTicket SalesOrderDetail CompanyFinanceDetail") {
		out = append(out, HostedScreen{ID: i + 1, ScreenID: name, Name: name})
	}
	return out
}

// SetHostedScreens changes the screens that this Manage offers; they differ between versions.
func (s *Sim) SetHostedScreens(screens ...HostedScreen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loadScreens(screens)
}

func (s *Sim) loadScreens(screens []HostedScreen) {
	s.screens = newTable("connectWiseHostedScreen", "ConnectWiseHostedScreen", screenColumns())
	for _, screen := range screens {
		s.screens.put(screen.ID, &screen)
	}
}

// HostedSetups are the pods, tabs and buttons as they stand.
func (s *Sim) HostedSetups() []HostedSetup {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return dump(s.hosted)
}

func screenColumns() []column[HostedScreen] {
	return []column[HostedScreen]{
		computed("id", func(_ *Sim, h *HostedScreen) value { return integer(h.ID) }),
		computed("screenId", func(_ *Sim, h *HostedScreen) value { return text(h.ScreenID) }),
		computed("name", func(_ *Sim, h *HostedScreen) value { return text(h.Name) }),
	}
}

func hostedColumns() []column[HostedSetup] {
	columns := []column[HostedSetup]{
		computed("id", func(_ *Sim, h *HostedSetup) value { return integer(h.ID) }),
		{name: "screenId", get: func(_ *Sim, h *HostedSetup) value { return integer(h.ScreenID) }, set: setScreen},
		textColumn("description", 50, func(h *HostedSetup) *string { return &h.Description }),
		textColumn("url", 1024, func(h *HostedSetup) *string { return &h.URL }),
		enumColumn("type", []string{"Tab", "Pod", "ToolbarButton"}, func(h *HostedSetup) *string { return &h.Type }),
		textColumn("clientId", 36, func(h *HostedSetup) *string { return &h.ClientID }),
		textColumn("origin", 100, func(h *HostedSetup) *string { return &h.Origin }),
		numberColumn("podHeight", func(h *HostedSetup) *string { return &h.PodHeight }),
		boolColumn("disabledFlag", func(h *HostedSetup) *bool { return &h.Disabled }),
		boolColumn("locationsEnabledFlag", func(h *HostedSetup) *bool { return &h.Locations }),
		computed("createdBy", func(_ *Sim, h *HostedSetup) value { return text(h.Stamp.EnteredBy) }),
		computed("dateCreated", func(_ *Sim, h *HostedSetup) value { return instant(h.Stamp.DateEntered) }),
		computed("_info", func(_ *Sim, h *HostedSetup) value { return h.Stamp.info() }),
	}
	columns[7].get = func(_ *Sim, h *HostedSetup) value {
		if h.PodHeight == "" {
			return value{}
		}
		return raw(json.RawMessage(h.PodHeight)) // a whole number, unlike the doubles of other records
	}
	for at := 1; at <= 4; at++ {
		columns[at].required = true
	}
	for _, name := range strings.Fields("toolbarButtonDialogHeight toolbarButtonDialogWidth toolbarButtonText toolbarButtonToolTip toolbarButtonIconDocumentId locationIds") {
		columns = append(columns, extraColumn(name, func(h *HostedSetup) *map[string]json.RawMessage { return &h.Extra }))
	}
	return columns
}

func setScreen(s *Sim, h *HostedSetup, body json.RawMessage) *fieldFault {
	var id int
	if err := json.Unmarshal(body, &id); err != nil {
		return invalid("screenId", "The screenId field is not a number.")
	}
	if s.screens.rows[id] == nil {
		return &fieldFault{"InvalidReference", fmt.Sprintf("The screenId %d was not found.", id), "screenId"}
	}
	h.ScreenID = id
	return nil
}

func listScreens(s *Sim, c call, _ []int) reply { return listReply(s, s.screens, c, nil) }

func countScreens(s *Sim, c call, _ []int) reply { return countReply(s, s.screens, c, nil) }

func getScreen(s *Sim, c call, ids []int) reply { return oneReply(s, s.screens, ids[0], c) }

func listHosted(s *Sim, c call, _ []int) reply { return listReply(s, s.hosted, c, nil) }

func countHosted(s *Sim, c call, _ []int) reply { return countReply(s, s.hosted, c, nil) }

func getHosted(s *Sim, c call, ids []int) reply { return oneReply(s, s.hosted, ids[0], c) }

func createHosted(s *Sim, c call, _ []int) reply {
	row := &HostedSetup{ID: s.hosted.next()}
	if refused := fill(s, s.hosted, row, c.body); refused != nil {
		return *refused
	}
	row.Stamp = s.stamp(row.Stamp, c.member)
	s.hosted.put(row.ID, row)
	return created(appendRow(s, s.hosted, row, nil, nil))
}

func patchHosted(s *Sim, c call, ids []int) reply {
	old := s.hosted.rows[ids[0]]
	if old == nil {
		return notFound(s.hosted.label, ids[0])
	}
	row := *old
	if refused := patch(s, s.hosted, &row, c.body); refused != nil {
		return *refused
	}
	row.Stamp = s.stamp(row.Stamp, c.member)
	s.hosted.put(row.ID, &row)
	return okReply(appendRow(s, s.hosted, &row, nil, nil))
}

func deleteHosted(s *Sim, _ call, ids []int) reply {
	if s.hosted.rows[ids[0]] == nil {
		return notFound(s.hosted.label, ids[0])
	}
	s.hosted.remove(ids[0])
	return reply{status: http.StatusNoContent}
}

// nobody answers the list of a resource that the simulator keeps none of; a role may still forbid it.
func nobody(*Sim, call, []int) reply { return okReply([]byte("[]")) }

func countNobody(*Sim, call, []int) reply { return okReply([]byte(`{"count":0}`)) }

// countInvoices counts the invoices that were made here, without conditions.
func countInvoices(s *Sim, _ call, _ []int) reply {
	n := 0
	for _, made := range s.invoices {
		n += len(made)
	}
	return okReply(object(attr{"count", integer(n)}).append(nil))
}
