package microsoft

import (
	"encoding/json"
	"errors"
	"io"
)

// whole reads the one JSON object in r with read, and sees to it that nothing follows.
func whole(r io.Reader, read func(d *json.Decoder) error) error {
	d := json.NewDecoder(r)
	if err := read(d); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return brokenf("trailing", "there is something after its end")
	}
	return nil
}

// eachField walks over the members of the object that comes next in d. What can't be
// read or ends early is a brokenError.
func eachField(d *json.Decoder, field func(key string) error) error {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return brokenf("not_an_object", "it is not a JSON object")
	}
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return brokenf("cut_off", "it is cut off or can't be read")
		}
		if err := field(key); err != nil {
			return err
		}
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') {
		return brokenf("cut_off", "it is cut off or can't be read")
	}
	return nil
}

// eachElement walks over the array that comes next in d.
func eachElement(d *json.Decoder, element func() error) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return brokenf("not_a_list", "a list is missing")
	}
	for d.More() {
		if err := element(); err != nil {
			return err
		}
	}
	if t, err := d.Token(); err != nil || t != json.Delim(']') {
		return brokenf("cut_off", "a list is cut off")
	}
	return nil
}

// undecoded is a value that can't be read: because its end is missing, else for what it
// is.
func undecoded(err error, reason, what string) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return brokenf("cut_off", "it is cut off")
	}
	return brokenf(reason, "%s", what)
}

// skip passes over a value that doesn't matter.
func skip(d *json.Decoder) error {
	var v json.RawMessage
	if err := d.Decode(&v); err != nil {
		return brokenf("cut_off", "it is cut off or can't be read")
	}
	return nil
}

// page is what a page of a collection says of the collection.
type page struct {
	next  string // "": the last one
	count *int64 // @odata.count, on the first page when asked for
	rows  int
}

// readPage reads one page of a Graph collection, the object that comes next in d, row by
// row, so that a page of 999 users isn't held as a whole. A body without its "value" list is no collection, however
// well it looks.
func readPage(d *json.Decoder, row func(d *json.Decoder) error) (page, error) {
	var p page
	found := false
	err := eachField(d, func(key string) error {
		switch key {
		case "value":
			if found {
				return brokenf("not_a_collection", "there are two lists")
			}
			found = true
			return eachElement(d, func() error { p.rows++; return row(d) })
		case "@odata.nextLink":
			if err := d.Decode(&p.next); err != nil {
				return brokenf("page_broken", "the address of the next page can't be read")
			}
		case "@odata.count":
			if err := d.Decode(&p.count); err != nil || (p.count != nil && *p.count < 0) {
				return brokenf("page_broken", "the number of rows can't be read")
			}
		case "error":
			return brokenf("not_a_collection", "there is an error in it")
		default:
			return skip(d)
		}
		return nil
	})
	if err == nil && !found {
		err = brokenf("not_a_collection", "the list is missing")
	}
	return p, err
}
