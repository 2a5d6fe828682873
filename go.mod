module github.com/hanbridge/hanbridge

go 1.26
