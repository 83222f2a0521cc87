.global table
table: .quad 1
