//go:build !unix

package main

import "errors"

// freeSpace isn't known here.
func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }
